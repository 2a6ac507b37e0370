// Generates the TypeScript types of the wire contract from the .proto files:
// node scripts/proto.mjs [FOLDER]   (FOLDER: instead of proto/generated)
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = process.argv[2] ?? join(root, 'proto', 'generated');
const files = readdirSync(join(root, 'proto', 'lockstep', 'v1')).map((file) => `lockstep/v1/${file}`);

// As transport/services.ts loads messages. Bytes arrive as a Buffer; typed as Uint8Array, so that views can be sent.
const messages = ['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--bytes=Array'];
// `Hello` has every field, as a received message has; `HelloInput` may leave fields out.
const names = ['--inputTemplate=%sInput', '--outputTemplate=%s', '--importFileExtension=.js'];

const generator = createRequire(import.meta.url).resolve('@grpc/proto-loader/build/bin/proto-loader-gen-types.js');
rmSync(folder, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [
    generator,
    ...messages,
    ...names,
    '--includeComments',
    '--grpcLib=@grpc/grpc-js',
    '--includeDirs=proto',
    `--outDir=${folder}`,
    ...files,
  ],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);

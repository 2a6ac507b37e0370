// Compiles the TypeScript into dist/, bundles the scripts of pages, and copies the .proto files:
// node scripts/build.mjs [--if-changed]   (--if-changed: only if an input is newer than dist/)
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Scripts for browsers: folder with its own tsconfig.json, entry point, and result in the same folder of dist/. */
const bundles = [
  { folder: 'observe/page/browser', entry: 'main.tsx', file: 'page.js', format: 'esm' },
  { folder: 'run/verify/browser', entry: 'main.ts', file: 'verify.js', format: 'iife' },
];
if (process.argv.includes('--if-changed') && isCurrent()) process.exit(0);

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
// npm makes the command executable only when linking it; a later build creates a new file.
chmodSync(join(root, 'dist/cli/main.js'), 0o755);
for (const path of ['proto/lockstep', 'observe/tensorboard/event.proto', 'engine/native/prebuilt']) {
  cpSync(join(root, path), join(root, 'dist', path), { recursive: true });
}

for (const { folder, entry, file, format } of bundles) {
  buildSync({
    entryPoints: [join(root, folder, entry)],
    outfile: join(root, 'dist', folder, file),
    tsconfig: join(root, folder, 'tsconfig.json'),
    bundle: true,
    minify: true,
    format,
    target: ['es2022', 'chrome110', 'firefox115', 'safari16.4'],
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'eof',
    logLevel: 'warning',
  });
}

/** True if the last file written by a build is newer than every input. */
function isCurrent() {
  const { folder: last, file: name } = bundles.at(-1);
  const built = modified(join(root, 'dist', last, name));
  const folders = [
    'cli',
    'coordinator',
    'data',
    'engine',
    'job',
    'nats',
    'observe',
    'operator',
    'proto',
    'run',
    'transport',
    'util',
    'worker',
  ];
  const sources = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, file)),
  );
  const inputs = [...sources, 'scripts/build.mjs', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  return inputs.every((file) => modified(join(root, file)) < built);
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

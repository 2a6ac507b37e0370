// Compiles the TypeScript into dist/, bundles the scripts of pages and the charts' library, and copies the .proto files:
// node scripts/build.mjs [--if-changed]   (--if-changed: only if an input is newer than dist/)
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { licensesOf } from './build/licenses.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const browsers = { target: ['es2022', 'chrome110', 'firefox115', 'safari16.4'] };
/**
 * Modules that are bundled with their packages: folder, entry point, and result in the same folder of dist/. Those for
 * browsers have a tsconfig.json of their own.
 */
const bundles = [
  {
    folder: 'run/report/charts',
    entry: 'library.ts',
    file: 'library.js',
    format: 'esm',
    platform: 'node',
    target: 'node20.15',
  },
  { folder: 'observe/page/browser', entry: 'main.tsx', file: 'page.js', format: 'esm', ...browsers },
  { folder: 'run/verify/browser', entry: 'main.ts', file: 'verify.js', format: 'iife', ...browsers },
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

const inputs = bundles.flatMap(({ folder, entry, file, ...options }) => {
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: [join(folder, entry)],
    outfile: join('dist', folder, file),
    bundle: true,
    minify: true,
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'eof',
    logLevel: 'warning',
    metafile: true,
    ...options,
  });
  return Object.keys(metafile.inputs);
});
writeFileSync(join(root, 'dist', 'NOTICE'), licensesOf(root, inputs));

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

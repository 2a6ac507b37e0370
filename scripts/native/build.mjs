import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const kernels = join(root, 'engine', 'native', 'kernels');
const bindings = ['addon.c', 'vectors-addon.c', 'wasm.c'];
/** Files that are compiled once for each instruction set. */
const perIsa = ['kernels.c', 'vectors.c'];

/** Copies the C files and the headers of Node-API to `work`, so that no path of this computer reaches the compiler. */
export function stageSources(work) {
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers'));
  cpSync(kernels, join(work, 'kernels'), { recursive: true });
  cpSync(join(headers, 'include'), join(work, 'node'), { recursive: true });
  cpSync(join(headers, 'def', 'node_api.def'), join(work, 'node', 'node_api.def'));
}

/** Bytes of a target's file, built in `work`; `cache` keeps what zig compiles of its own for a target. */
export function buildTarget(zig, work, cache, target) {
  const run = (args) => runZig(zig, work, cache, args);
  const objects = compile(run, work, target);
  const output = join('out', target.name, target.file);
  const libraries = target.nodeLibrary ? [nodeLibrary(run, target)] : [];
  run(['cc', '-target', target.triple, ...target.link, '-o', output, ...objects, ...libraries]);
  const bytes = readFileSync(join(work, output));
  rmSync(join(work, 'out', target.name), { recursive: true });
  return bytes;
}

function compile(run, work, target) {
  const folder = join('out', target.name);
  mkdirSync(join(work, folder), { recursive: true });
  const base = ['cc', '-target', target.triple, ...target.compile, '-Inode', '-c'];
  const plain = readdirSync(join(work, 'kernels')).filter(
    (file) =>
      file.endsWith('.c') && !perIsa.includes(file) && (target.bindings.includes(file) || !bindings.includes(file)),
  );
  const compiled = plain.sort().map((file) => {
    const object = join(folder, file.replace(/c$/, 'o'));
    run([...base, join('kernels', file), '-o', object]);
    return object;
  });
  const kernelObjects = target.isas.flatMap(({ isa, flags }) =>
    perIsa.map((file) => {
      const object = join(folder, `${file.slice(0, -2)}-${isa}.o`);
      run([...base, ...flags, `-DISA=${isa}`, join('kernels', file), '-o', object]);
      return object;
    }),
  );
  return [...compiled, ...kernelObjects];
}

/** Import library of Node.js, whose functions are in the program itself. */
function nodeLibrary(run, target) {
  const library = join('out', target.name, 'node.lib');
  run(['dlltool', '-m', 'i386:x86-64', '-d', join('node', 'node_api.def'), '-l', library]);
  return library;
}

function runZig([program, ...first], work, cache, args) {
  const env = {
    ...process.env,
    ZIG_GLOBAL_CACHE_DIR: cache,
    ZIG_LOCAL_CACHE_DIR: join(work, 'cache'),
    SOURCE_DATE_EPOCH: '0',
  };
  execFileSync(program, [...first, ...args], { cwd: work, env, stdio: ['ignore', 'inherit', 'inherit'] });
}

// Compares the kernels of every instruction set with plain scalar code, bit for bit, on random shapes:
//   node scripts/native-check.mjs [--rounds 100] [--only avx512|avx2|neon|wasm]
// AVX-512 is left out on a CPU without it, and NEON on x64 without qemu-aarch64-static; the output says so.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { targets } from './native/targets.mjs';
import { findZig } from './native/zig.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tests = join(root, 'test', 'engine', 'native');
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100' }, only: { type: 'string' } } });

/** Runs a WASI program with its arguments. */
const wasi = `
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';
const args = process.argv.slice(1);
const wasi = new WASI({ version: 'preview1', args, returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(args[0]));
process.exitCode = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));`;
const relaxed = Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];

/** Instruction sets that this computer can run: target, and the command before the program. */
const runs = {
  avx512: { target: 'linux-x64', before: hasAvx512() ? [] : undefined },
  avx2: { target: 'linux-x64', before: process.arch === 'x64' ? [] : undefined },
  neon: { target: 'linux-arm64', before: process.arch === 'arm64' ? [] : emulator() },
  wasm: {
    target: 'wasm',
    before: [process.execPath, ...relaxed, '--no-warnings', '--input-type=module', '--eval', wasi],
  },
};

function hasAvx512() {
  return existsSync('/proc/cpuinfo') && /\bavx512vl\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
}

function emulator() {
  return spawnSync('qemu-aarch64-static', ['--version']).status === 0 ? ['qemu-aarch64-static'] : undefined;
}

function check(zig, work, isa) {
  const { target: name, before } = runs[isa];
  const target = targets.find((candidate) => candidate.name === name);
  const { flags } = target.isas.find((candidate) => candidate.isa === isa);
  const cc = [...zig, 'cc', '-target', target.triple, ...target.compile, '-Wno-error', ...flags, `-DISA=${isa}`];
  const program = join(work, isa === 'wasm' ? 'check.wasm' : `check-${isa}`);
  const kernels = join(root, 'engine', 'native', 'kernels', 'kernels.c');
  for (const sources of [[join(tests, 'kernels', 'check.c'), kernels], [join(tests, 'kernels-check', 'check.c')]]) {
    run([...cc, ...sources, ...(isa === 'wasm' ? [] : ['-static']), '-lm', '-o', program]);
    run([...before, program, values.rounds]);
  }
}

function run([program, ...args]) {
  execFileSync(program, args, { stdio: 'inherit' });
}

const chosen = Object.keys(runs).filter((isa) => values.only === undefined || values.only === isa);
if (chosen.length === 0) {
  throw new Error(`native-check: expected --only with one of ${Object.keys(runs).join(', ')}, got ${values.only}`);
}
const zig = findZig();
const work = mkdtempSync(join(tmpdir(), 'lockstep-check-'));
try {
  for (const isa of chosen) {
    console.log(runs[isa].before ? `native-check: ${isa}` : `native-check: ${isa} cannot run here and is left out`);
    if (runs[isa].before) check(zig, work, isa);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

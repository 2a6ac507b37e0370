import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { selfTestPlans } from '../self-test-plans.js';

const run = promisify(execFile);
const kernels = 'engine/native/kernels';
const sources = ['check', 'check-elementwise', 'check-linear', 'check-move', 'check-pool', 'check-reduce']
  .concat(['decode', 'fault', 'program', 'threads', 'validate'])
  .map((name) => join(kernels, `${name}.c`));
const sanitize = [
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-g',
  '-O1',
  '-std=gnu11',
  '-D_GNU_SOURCE',
];
const plain = ['-ffp-contract=off', '-Wno-psabi', '-I', kernels];
const seconds = 20;

/** A clang that knows the kernels' vector functions (17 or later) and has sanitizers. */
function findClang(): string | undefined {
  const names = ['clang', ...[22, 21, 20, 19, 18, 17].map((version) => `clang-${version}`)];
  return names.find((name) => {
    try {
      const version = execFileSync(name, ['-dumpversion'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      return Number.parseInt(version, 10) >= 17;
    } catch {
      return false;
    }
  });
}

const clang = process.arch === 'x64' && process.platform === 'linux' ? findClang() : undefined;
const work = mkdtempSync(join(tmpdir(), 'lockstep-fuzz-'));
afterAll(() => rmSync(work, { recursive: true }));

/** AVX2 alone: its kernels compile in a minute, those of AVX-512 with sanitizers in ten. */
async function build(): Promise<string> {
  const [object, program] = [join(work, 'avx2.o'), join(work, 'fuzz')];
  const main = 'test/engine/native/fuzz/fuzz.c';
  await run(clang!, [
    ...sanitize,
    ...plain,
    '-march=x86-64-v3',
    '-DISA=avx2',
    '-c',
    join(kernels, 'kernels.c'),
    '-o',
    object,
  ]);
  await run(clang!, [...sanitize, ...plain, main, ...sources, object, '-lpthread', '-lm', '-o', program]);
  return program;
}

describe.skipIf(clang === undefined)('fuzzing with sanitizers (needs clang 17 or later)', () => {
  it('finds no access outside a buffer', { timeout: 600_000 }, async () => {
    const program = await build();
    const plans = selfTestPlans().map((plan, i) => {
      const path = join(work, `plan-${i}`);
      writeFileSync(path, plan.build());
      return path;
    });
    const seed = process.env['LOCKSTEP_FUZZ_SEED'] ?? '1';
    const time = process.env['LOCKSTEP_FUZZ_SECONDS'] ?? String(seconds);
    const { stdout } = await run(program, [time, seed, ...plans]);
    const [refused, ran] = stdout.split(' ').map(Number) as [number, number];
    expect(refused).toBeGreaterThan(100);
    expect(ran).toBeGreaterThan(100);
  });
});

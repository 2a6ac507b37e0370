import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { postOrder } from '../../../engine/ir/post-order.js';
import { sizeOf } from '../../../engine/ir/shape.js';
import type { InstructionSet } from '../../../engine/engine.js';
import type { NativeRuntime } from '../../../engine/native/load/native.js';
import { evaluate } from '../../../engine/native/reference/evaluate.js';
import { outputNodes } from '../../../engine/trace/program.js';
import { runs } from '../../thorough.js';
import { builders } from './random-nodes.js';
import { randomProgram } from './random-programs.js';
import { expectSameBits, onKernels } from './same-bits.js';

/** Programs of each kind of first operation. */
const perKind = runs(40);

const kinds = Object.keys(builders);

/** Instruction sets of this computer, and threads. */
const isas: readonly InstructionSet[] = ['avx512', 'avx2', 'neon', 'wasm'];

async function load(isa: InstructionSet): Promise<NativeRuntime | undefined> {
  if (!existsSync(new URL('../../../engine/native/prebuilt/manifest.json', import.meta.url))) return undefined;
  const { loadNative } = await import('../../../engine/native/load/load.js');
  try {
    return loadNative(isa);
  } catch {
    return undefined;
  }
}

const runtimes = await Promise.all(isas.map(async (isa) => ({ isa, runtime: await load(isa) })));

for (const { isa, runtime } of runtimes) {
  const needs = runtime === undefined ? ' (needs these kernels, and a CPU that has them)' : '';
  describe.skipIf(runtime === undefined)(`kernels of ${isa} give the reference's bits${needs}`, () => {
    it.each(kinds)('in random programs with %s', (kind) => {
      const run = onKernels(runtime!, 2);
      const first = 1000 * kinds.indexOf(kind);
      for (let i = 0; i < perKind; i++) expectSameBits(run, randomProgram(first + i, kind));
    });
  });
}

describe('random programs', () => {
  it('of one seed are the same', () => {
    const [a, b] = [randomProgram(7, 'conv'), randomProgram(7, 'conv')];
    expect(a.inputs).toEqual(b.inputs);
    expect(evaluate(a.program, a.inputs)).toEqual(evaluate(b.program, b.inputs));
  });

  it('reach every operation, and all stages of sums', () => {
    const programs = kinds.flatMap((kind, k) => [0, 1, 2].map((i) => randomProgram(1000 * k + i, kind)));
    const nodes = programs.flatMap(({ program }) => postOrder(outputNodes(program)));
    const reached = new Set(nodes.map(({ op }) => op));
    for (const kind of kinds) expect(reached).toContain(kind.split(' ')[0]);
    const spreads = nodes.filter(({ op }) => op === 'spread').map(({ inputs }) => inputs[0]!.shape);
    expect(spreads.some(([images]) => images! > 32)).toBe(true);
    expect(spreads.some((shape) => sizeOf(shape.slice(1, -1)) > 256)).toBe(true);
  });
});

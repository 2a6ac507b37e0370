import { describe, expect, it } from 'vitest';
import { postOrder } from '../../../engine/ir/post-order.js';
import { sizeOf } from '../../../engine/ir/shape.js';
import { instructionSets } from '../../../engine/engine.js';
import { loadNative } from '../../../engine/native/load/load.js';
import { evaluate } from '../../../engine/native/reference/evaluate.js';
import { outputNodes } from '../../../engine/trace/program.js';
import { whyNot } from '../../numerics/one-digest/targets.js';
import { runs } from '../../thorough.js';
import { builders } from './random-nodes.js';
import { randomProgram } from './random-programs.js';
import { expectSameBits, onKernels } from './same-bits.js';

/** Programs of each kind of first operation. */
const perKind = runs(40);

const kinds = Object.keys(builders);

for (const isa of instructionSets) {
  const missing = whyNot(isa);
  const needs = missing === undefined ? '' : ` (needs ${missing})`;
  describe.skipIf(missing)(`kernels of ${isa} give the reference's bits${needs}`, () => {
    it.each(kinds)('in random programs with %s', (kind) => {
      const run = onKernels(loadNative(isa), 2);
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

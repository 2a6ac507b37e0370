import { expect } from 'vitest';
import { maskInput } from '../../../engine/feeds.js';
import { compilePlan } from '../../../engine/native/compile.js';
import type { NativeRuntime } from '../../../engine/native/load/native.js';
import { evaluate } from '../../../engine/native/reference/evaluate.js';
import type { Values } from '../../../engine/native/reference/tensor.js';
import { usedMasks } from '../../../engine/trace/trace-spec.js';
import type { RandomProgram } from './random-programs.js';

/** Words of each output, by name. */
export type Run = (random: RandomProgram) => ReadonlyMap<string, Uint32Array>;

/** Checks a program's outputs word by word; all NaNs are equal. */
export function expectSameBits(run: Run, random: RandomProgram): void {
  const expected = evaluate(random.program, random.inputs);
  const actual = run(random);
  for (const [name, pieces] of expected) {
    const words = actual.get(name)!;
    pieces.reduce((begin, piece, i) => {
      const different = firstDifference(piece, words.subarray(begin, begin + piece.length));
      expect(different, `seed ${random.seed}, ${name}, piece ${i}`).toBeUndefined();
      return begin + piece.length;
    }, 0);
  }
}

function firstDifference(expected: Values, words: Uint32Array): string | undefined {
  const copy = words.slice().buffer;
  const actual = expected instanceof Float32Array ? new Float32Array(copy) : new Int32Array(copy);
  const at = expected.findIndex((value, i) => !Object.is(value, actual[i]));
  return at < 0 ? undefined : `element ${at} of ${expected.length}: expected ${expected[at]}, got ${actual[at]}`;
}

/** Compiles and runs a program with the kernels. */
export function onKernels(runtime: NativeRuntime, threads: number): Run {
  return (random) => {
    const { program, inputs, batch, imageShape } = random;
    const { plan, constants } = compilePlan(program, { batch, imageShape });
    const native = runtime.createProgram(plan, constants, threads);
    const words = (name: string) => {
      const output = program.outputs.find((each) => each.name === name);
      return new Float32Array(output?.kind === 'flat' ? output.pieces.reduce((sum, { size }) => sum + size, 0) : 0);
    };
    const [gradient, statistics] = [words('gradient'), words('statistics')];
    const masks = usedMasks(program).flatMap(({ name }) => Array.from(inputs[maskInput(name)]!));
    const { params, state, images, labels } = inputs as Record<string, Float32Array & Uint8Array & Int32Array>;
    native.run([params!, state!, images!, labels!, Float32Array.from(masks), gradient, statistics, new Uint32Array(0)]);
    native.dispose();
    return new Map([
      ['gradient', new Uint32Array(gradient.buffer)],
      ['statistics', new Uint32Array(statistics.buffer)],
    ]);
  };
}

import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.js';
import { loadNative } from '../../../engine/native/load/load.js';
import type { NativeRuntime } from '../../../engine/native/load/native.js';
import { inputWords } from '../../../engine/native/load/self-test-plan.js';
import { selfTestPlans } from './self-test-plans.js';

const addressesFrom = 2 ** 40;
/** Numbers of a plan before its phases. */
const header = 15;
const casesPerPlan = 250;

/** Changes that make no plan much longer to run. */
function changed(value: number, draw: () => number): number {
  if (value >= addressesFrom && draw() < 0.6) return value + (Math.floor(draw() * 65) - 32) * 4;
  const choices = [value + 1, value - 1, Math.floor(value / 2), -value, 0, value + 0.5];
  return choices[Math.floor(draw() * choices.length)]!;
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs a plan: true, or false if it is refused for a reason. */
function runs(runtime: NativeRuntime, plan: Float64Array, outputWords: number): boolean {
  try {
    const program = runtime.createProgram(plan, new Uint8Array(0), 2);
    const none = new Float32Array(0);
    const numbers = new Float32Array(inputWords).fill(0.5);
    const integers = new Int32Array(inputWords).fill(-5);
    const bytes = new Uint8Array(inputWords);
    program.run([numbers, none, bytes, integers, none, new Float32Array(outputWords), none, new Uint32Array(0)]);
    program.dispose();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    expect((error as EngineError).message).toMatch(/^create program: .*expected .*got/);
    return false;
  }
}

describe('damaged plans', () => {
  const runtime = loadNative();

  it.each(selfTestPlans().map((plan, i) => [i, plan] as const))('of part %i are refused or run', (i, plan) => {
    const words = plan.build();
    const draw = generator(i + 1);
    let refused = 0;
    expect(runs(runtime, words, plan.outputWords)).toBe(true);
    for (let n = 0; n < casesPerPlan; n++) {
      const damaged = words.slice();
      const at = header + Math.floor(draw() * (words.length - header));
      damaged[at] = changed(damaged[at]!, draw);
      if (!runs(runtime, damaged, plan.outputWords)) refused++;
    }
    expect(refused).toBeGreaterThan(casesPerPlan / 4);
    expect(refused).toBeLessThan(casesPerPlan);
  });

  it('leave the kernels intact', () => {
    expect(loadNative().isa).toBe(runtime.isa);
  });

  it.each([
    ['an empty plan', new Float64Array(0), "expected the plan's mark at number 0"],
    ['another version', Float64Array.from([0x4c53504c, 2]), 'expected version of the arithmetic from 1 to 1'],
    ['a fraction', Float64Array.from([0.5]), 'expected an integer below 2^53 at number 0'],
    ['a NaN', Float64Array.from([NaN]), 'expected an integer below 2^53 at number 0'],
  ])('%s is refused with what was expected', (_name, plan, message) => {
    expect(() => runtime.createProgram(plan, new Uint8Array(0), 1)).toThrow(message);
  });
});

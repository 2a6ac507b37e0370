import { expect, it } from 'vitest';
import { createEngine } from '../../../engine/create.js';
import type { ProgramInput } from '../../../engine/engine.js';
import type { OtherProcess } from './other-process.js';
import { bitsOf, bitsOfAll, type Rig, trainOnce } from './rig.js';

type Numbers = Float32Array | Int32Array | Uint8Array;

/** The same numbers in the middle of a larger buffer, one element from its beginning. */
function moved<T extends Numbers>(values: T): T {
  const larger = new (values.constructor as new (length: number) => T)(values.length + 2);
  larger.set(values, 1);
  return larger.subarray(1, values.length + 1) as T;
}

/** Equal inputs give equal bits, wherever and whenever they are computed. */
export function keepsItsBits(rig: Rig, other: () => Promise<OtherProcess>): void {
  it('in every run of a program, whatever ran in between', async () => {
    await rig.train.run({
      ...rig.input,
      params: rig.input.params.map((w) => -w),
      labels: rig.input.labels.map(() => 2),
    });
    await rig.evaluate.run(rig.input);
    expect(bitsOf(await rig.train.run(rig.input))).toBe(rig.bits);
  });

  it('in runs that are asked for at once', async () => {
    const inputs: ProgramInput[] = [0, 1].map((label) => ({
      ...rig.input,
      labels: rig.input.labels.map(() => label),
    }));
    const together = await Promise.all(inputs.map((input) => rig.train.run(input)));
    for (const [i, input] of inputs.entries()) expect(bitsOf(together[i]!)).toBe(bitsOf(await rig.train.run(input)));
  });

  it('in another program, of another engine', async () => {
    const again = await createEngine(rig.subject.options);
    expect(bitsOf(await trainOnce(again))).toBe(rig.bits);
  });

  it('for inputs anywhere in memory', async () => {
    const { params, state, images, labels, masks } = rig.input;
    const elsewhere = {
      params: moved(params),
      state: moved(state),
      images: moved(images),
      labels: moved(labels),
      masks: masks!.map(moved),
    };
    expect(bitsOf(await rig.train.run(elsewhere))).toBe(rig.bits);
    expect(await rig.evaluate.run(elsewhere)).toEqual(await rig.evaluate.run(rig.input));
  });

  it("in a second process: a step, an epoch's smaller last step, and an evaluation", async () => {
    expect((await other()).bits).toBe(await bitsOfAll(rig.engine));
  });

  it('in results that the caller owns: later runs leave them alone, and they can be transferred', async () => {
    const [step, rows] = [await rig.train.run(rig.input), await rig.evaluate.run(rig.input)];
    const copies = structuredClone([step.gradient, step.statistics, rows.logProbabilities]);
    await rig.train.run({ ...rig.input, labels: rig.input.labels.map(() => 0) });
    await rig.evaluate.run({ ...rig.input, images: rig.input.images.map((x) => 255 - x) });
    const results = [step.gradient, step.statistics, rows.logProbabilities];
    expect(results).toEqual(copies);
    const transfer = results.map(({ buffer }) => buffer as ArrayBuffer);
    expect(structuredClone(results, { transfer })).toEqual(copies);
  });
}

import { expect, it } from 'vitest';
import { describeModel } from '../../../engine/model/model.js';
import { topology } from './model.js';
import { bitsOf, type Rig } from './rig.js';

const layout = await describeModel(topology);

/** Non-finite numbers are never hidden: they reach the sums of gradients, and don't outlive their run. */
export function showsNonFiniteNumbers(rig: Rig): void {
  const isFinite = (values: Float32Array) => values.every((x) => Number.isFinite(x));

  it.each([NaN, Infinity])(
    '%f in any weight reaches the loss and the gradient, and the next run is as if it had not been',
    async (value) => {
      for (const { name, offset } of layout.parameters) {
        const { lossSum, gradient } = await rig.train.run({
          ...rig.input,
          params: rig.input.params.with(offset, value),
        });
        expect(Number.isFinite(lossSum), `loss with ${name}`).toBe(false);
        expect(isFinite(gradient), `gradient with ${name}`).toBe(false);
      }
      expect(bitsOf(await rig.train.run(rig.input))).toBe(rig.bits);
    },
  );

  it('NaN in any weight or running statistic reaches the rows of an evaluation, and of no other', async () => {
    const good = await rig.evaluate.run(rig.input);
    const { params, state } = rig.input;
    const broken = [
      ...layout.parameters.map(({ name, offset }) => ({ name, change: { params: params.with(offset, NaN) } })),
      ...layout.state.map(({ name, offset }) => ({ name, change: { state: state.with(offset, NaN) } })),
    ];
    for (const { name, change } of broken) {
      const { logProbabilities } = await rig.evaluate.run({ ...rig.input, ...change });
      expect(isFinite(logProbabilities), name).toBe(false);
    }
    expect(await rig.evaluate.run(rig.input)).toEqual(good);
  });
}

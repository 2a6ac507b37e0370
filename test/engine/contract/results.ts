import { expect, it } from 'vitest';
import { describeModel } from '../../../engine/model.js';
import { trainOnCpu } from '../layers/oracle.js';
import { relativeError } from '../parity/compare.js';
import { dense, flatten, sequential } from '../topologies.js';
import { gradientOf, pass } from './float64.js';
import { batch, classes, common, imageShape, inputFor, topology } from './model.js';
import { type Rig, trainOnce } from './rig.js';

/** Relative, as ‖a − b‖ / ‖b‖. */
const bound = 5e-6;
/** So many elements of each weight's gradient are compared with central differences, at least. */
const compared = 48;

const layout = await describeModel(topology);
const input = await inputFor({ masks: [{ name: 'drop', shape: [batch, 3, 3, 16], size: batch * 144, rate: 0.5 }] });
const params = Float64Array.from(input.params);
const expected = pass(layout, input, params, 'train');
const expectedGradients = layout.parameters.map((weight) => {
  const stride = Math.max(1, Math.floor(weight.size / compared));
  return { ...weight, stride, values: gradientOf(layout, input, weight, stride) };
});
/** About the length of the longest weight's gradient, all elements of it. */
const longest = Math.max(
  ...expectedGradients.map(({ values, stride }) => Math.sqrt(stride * values.reduce((sum, x) => sum + x * x, 0))),
);

/** What the programs compute, beside double precision and beside TF.js. */
export function computesTheStep(rig: Rig): void {
  it('the gradient of every weight is that of double precision', async () => {
    const { gradient } = await rig.train.run(rig.input);
    for (const { name, offset, size, stride, values } of expectedGradients) {
      const ours = gradient.subarray(offset, offset + size).filter((_, i) => i % stride === 0);
      expect(relativeError(ours, values, (1e-2 * longest) / Math.sqrt(stride)), name).toBeLessThan(bound);
    }
  });

  it('the sum of the losses and the number of right answers are those of double precision', async () => {
    const { lossSum, correct } = await rig.train.run(rig.input);
    expect(Math.abs(lossSum / expected.lossSum - 1)).toBeLessThan(bound);
    expect(correct).toBe(expected.correct);
  });

  it("the batch's means and biased variances are those of double precision, in the places of the moving ones", async () => {
    const { statistics } = await rig.train.run(rig.input);
    expect(statistics.length).toBe(layout.stateCount);
    expect(relativeError(statistics.subarray(0, 16), expected.statistics.slice(0, 16))).toBeLessThan(bound);
    expect(relativeError(statistics.subarray(16), expected.statistics.slice(16))).toBeLessThan(bound);
  });

  it.each([0, 0.3])(
    "label smoothing of %f and dropout masks give the gradient of TF.js's cpu backend",
    async (labelSmoothing) => {
      const loss = { type: 'softmaxCrossEntropy', labelSmoothing } as const;
      const theirs = await trainOnCpu({
        topology,
        imageShape,
        input: rig.input,
        masks: rig.train.masks,
        labelSmoothing,
      });
      const ours = await trainOnce(rig.engine, { loss });
      expect(Math.abs(ours.lossSum / theirs.lossSum - 1)).toBeLessThan(bound);
      expect(relativeError(ours.gradient, theirs.gradient)).toBeLessThan(bound);
    },
  );

  it('the masks are named, with their shape and rate', () => {
    expect(rig.train.masks).toEqual([{ name: 'drop', shape: [batch, 3, 3, 16], size: batch * 144, rate: 0.5 }]);
  });

  it('a model without running statistics or masks has none of them', async () => {
    const bare = sequential(imageShape, [flatten, dense({})]);
    const zeros = { params: new Float32Array(72 * 3 + 3), state: new Float32Array(0) };
    const { lossSum, statistics } = await trainOnce(rig.engine, { topology: bare }, zeros);
    expect(lossSum).toBeCloseTo(batch * Math.log(classes), 4);
    expect(statistics.length).toBe(0);
  });
}

/** What an evaluation answers, beside double precision and beside the training program. */
export function evaluates(rig: Rig): void {
  it('the rows are those of double precision with running statistics and without dropout, and sum to 1', async () => {
    const { logProbabilities: rows } = await rig.evaluate.run(rig.input);
    expect(relativeError(rows, pass(layout, input, params, 'evaluate').rows)).toBeLessThan(bound);
    for (let i = 0; i < batch; i++) {
      const row = rows.subarray(i * classes, (i + 1) * classes);
      expect(row.reduce((sum, x) => sum + Math.exp(x), 0)).toBeCloseTo(1, 6);
    }
  });

  it("with a batch's own statistics it has the loss and the right answers of a training step that drops nothing", async () => {
    const masks = [new Float32Array(batch * 144).fill(1)];
    const step = await rig.train.run({ ...rig.input, masks });
    const { logProbabilities: rows } = await rig.evaluate.run({ ...rig.input, state: step.statistics });
    const { labels } = rig.input;
    const loss = labels.reduce((sum, label, i) => sum - rows[i * classes + label]!, 0);
    expect(Math.abs(loss / step.lossSum - 1)).toBeLessThan(bound);
    const answers = Array.from(labels, (_, i) => rows.subarray(i * classes, (i + 1) * classes)).map((row) =>
      row.indexOf(Math.max(...row)),
    );
    expect(answers.filter((answer, i) => answer === labels[i]).length).toBe(step.correct);
  });

  it('a training step does not read the running statistics', async () => {
    const other = await rig.train.run({ ...rig.input, state: rig.input.state.map(() => NaN) });
    expect(other).toEqual(await rig.train.run(rig.input));
  });

  it('an evaluation reads neither labels nor masks', async () => {
    const { params: weights, state, images } = rig.input;
    const bare = await rig.evaluate.run({ params: weights, state, images, labels: Int32Array.of(-1) });
    expect(bare).toEqual(await rig.evaluate.run(rig.input));
  });

  it('a whole program of another batch size gives rows that do not depend on it', async () => {
    const half = await rig.engine.compileEvaluate({ ...common, batch: batch / 2, mode: 'evaluate' });
    const rows = await half.run({ ...rig.input, images: rig.input.images.subarray(0, batch * 36) });
    await half.dispose();
    const whole = await rig.evaluate.run(rig.input);
    const first = whole.logProbabilities.subarray(0, (batch / 2) * classes);
    expect(relativeError(rows.logProbabilities, first)).toBeLessThan(bound);
  });
}

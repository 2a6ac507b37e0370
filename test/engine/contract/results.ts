import { expect, it } from 'vitest';
import { describeModel } from '../../../engine/model/model.js';
import { trainOnCpu } from '../layers/oracle.js';
import { relativeError } from '../parity/compare.js';
import { gradientOf, pass } from './float64.js';
import { batch, classes, common, imageShape, inputFor, masksFor, smallerBatch, topology } from './model.js';
import { bitsOf, type Rig, trainOnce } from './rig.js';

/** Relative, as ‖a − b‖ / ‖b‖. */
const bound = 5e-6;
/** Least number of elements of each weight's gradient that are compared with central differences. */
const compared = 48;

const layout = await describeModel(topology);
const input = await inputFor({ masks: masksFor(batch) });
const params = Float64Array.from(input.params);
const expected = pass(layout, input, params, 'train');
const expectedGradients = layout.parameters.map((weight) => {
  const stride = Math.max(1, Math.floor(weight.size / compared));
  return { ...weight, stride, values: gradientOf(layout, input, weight, stride) };
});
/** Roughly the length of the longest weight's gradient: compares all of its elements. */
const longest = Math.max(
  ...expectedGradients.map(({ values, stride }) => Math.sqrt(stride * values.reduce((sum, x) => sum + x * x, 0))),
);

const oracleCases = await Promise.all(
  [
    { title: 'plain labels', samples: batch, labelSmoothing: 0 },
    { title: 'smoothed labels', samples: batch, labelSmoothing: 0.3 },
    { title: "smoothed labels in an epoch's smaller last step", samples: smallerBatch, labelSmoothing: 0.3 },
  ].map(async (test) => {
    const masks = masksFor(test.samples);
    const given = await inputFor({ masks }, test.samples);
    return { ...test, theirs: await trainOnCpu({ ...test, topology, imageShape, input: given, masks }) };
  }),
);

/** Results of the programs, compared with double precision and with TF.js. */
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

  it.each(oracleCases)(
    "dropout masks and $title give what TF.js's cpu backend gives",
    async ({ samples, labelSmoothing, theirs }) => {
      const loss = { type: 'softmaxCrossEntropy', labelSmoothing } as const;
      const ours = await trainOnce(rig.engine, { batch: samples, loss });
      expect(Math.abs(ours.lossSum / theirs.lossSum - 1)).toBeLessThan(bound);
      expect(ours.correct).toBe(theirs.correct);
      expect(relativeError(ours.gradient, theirs.gradient)).toBeLessThan(bound);
      expect(relativeError(ours.statistics, theirs.statistics)).toBeLessThan(bound);
    },
  );

  it('with two threads the bits are the same, where an engine can change their number', async ({ skip }) => {
    if (!rig.engine.setThreads) return skip('it has one number of threads');
    rig.engine.setThreads(2);
    expect(bitsOf(await rig.train.run(rig.input))).toBe(rig.bits);
    rig.engine.setThreads(1);
  });

  it('the running statistics are not read', async () => {
    const other = await rig.train.run({ ...rig.input, state: rig.input.state.map(() => NaN) });
    expect(bitsOf(other)).toBe(rig.bits);
  });
}

/** Results of an evaluation, compared with double precision and with the training program. */
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

  it('neither labels nor masks are read', async () => {
    const { params: weights, state, images } = rig.input;
    const bare = await rig.evaluate.run({ params: weights, state, images, labels: Int32Array.of(-1) });
    expect(bare).toEqual(await rig.evaluate.run(rig.input));
  });

  it('a row does not depend on the number of images that are answered with it', async () => {
    const half = await rig.engine.compileEvaluate({ ...common, batch: batch / 2, mode: 'evaluate' });
    const rows = await half.run({ ...rig.input, images: rig.input.images.subarray(0, batch * 36) });
    await half.dispose();
    const whole = await rig.evaluate.run(rig.input);
    const first = whole.logProbabilities.subarray(0, (batch / 2) * classes);
    expect(relativeError(rows.logProbabilities, first)).toBeLessThan(bound);
  });
}

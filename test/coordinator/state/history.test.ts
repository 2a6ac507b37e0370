import { describe, expect, it } from 'vitest';
import { applyUpdate, type PageState } from '../../../observe/page/browser/state.js';
import { bucketWidth, Envelope, maxBuckets } from '../../../coordinator/state/envelope.js';
import { limits } from '../../../coordinator/state/feed.js';
import { beginning, RunHistory } from '../../../coordinator/state/history.js';
import { describeRun, describeUpdate, newBootId, readCursor } from '../../../coordinator/state/update.js';
import { runningMean } from '../../../run/report/running-mean.js';
import { sampleSteps } from '../../run/report/sample.js';
import { evaluationEvent, sampleRun, statusReply, stepEvent } from '../../observe/sample-run.js';

const pairs = (points: readonly number[]) =>
  Array.from({ length: points.length / 2 }, (_, i) => [points[2 * i], points[2 * i + 1]] as [number, number]);

describe('an envelope', () => {
  it('keeps every point while there are few', () => {
    const envelope = new Envelope();
    for (let step = 0; step < maxBuckets; step++) envelope.add(step, step % 7);
    expect(envelope.width).toBe(1);
    expect(pairs(envelope.pointsFrom(0))).toEqual(Array.from({ length: maxBuckets }, (_, i) => [i, i % 7]));
  });

  it('keeps the least and the greatest of each bucket, at their steps and in their order', () => {
    const envelope = new Envelope();
    const values = Array.from({ length: 5_000 }, (_, i) => Math.sin(i * i));
    values[3_333] = 99;
    values[77] = -99;
    values.forEach((value, step) => envelope.add(step, value));
    expect(envelope.width).toBe(8);
    const points = pairs(envelope.pointsFrom(0));
    const expected = Array.from({ length: 625 }, (_, bucket) => {
      const part = values.slice(8 * bucket, 8 * bucket + 8);
      const places = [Math.min(...part), Math.max(...part)].map((value) => 8 * bucket + part.indexOf(value));
      return places.sort((a, b) => a - b).map((place) => [place, values[place]]);
    }).flat();
    expect(points).toEqual(expected);
    expect(points).toContainEqual([3_333, 99]);
    expect(points).toContainEqual([77, -99]);
  });

  it('never has more than two points for each bucket, and leaves out what is not finite', () => {
    const envelope = new Envelope();
    for (let step = 0; step < 102_100; step++) envelope.add(step, step === 50_000 ? NaN : Math.sin(step));
    expect(envelope.width).toBe(bucketWidth(102_099));
    expect(envelope.pointsFrom(0).length / 2).toBeLessThanOrEqual(2 * maxBuckets);
    expect(envelope.pointsFrom(0).every(Number.isFinite)).toBe(true);
  });
});

describe('the means of an envelope', () => {
  const filled = (values: readonly number[]) => {
    const envelope = new Envelope();
    values.forEach((value, step) => envelope.add(step, value));
    return envelope;
  };

  it('are every step while there is room', () => {
    expect(filled([5, 3, 4, 1]).means(4)).toEqual([
      { step: 1, value: 5 },
      { step: 2, value: 3 },
      { step: 3, value: 4 },
      { step: 4, value: 1 },
    ]);
    expect(new Envelope().means(4)).toEqual([]);
  });

  it('join neighbours where fewer points are wanted', () => {
    expect(filled([5, 3, 4, 2, 1, 3, 8]).means(4)).toEqual([
      { step: 2, value: 4 },
      { step: 4, value: 3 },
      { step: 6, value: 2 },
      { step: 7, value: 8 },
    ]);
  });

  it('are at most as many as requested after 102,100 steps, each of its section, the last step among them', () => {
    const envelope = filled(Array.from({ length: 102_100 }, (_, step) => step));
    const points = envelope.means(500);
    expect(points.length).toBeLessThanOrEqual(500);
    expect(points.length).toBeGreaterThan(250);
    expect(points.at(-1)!.step).toBe(102_100);
    expect(points[0]).toEqual({ step: 256, value: 127.5 });
    expect(envelope.means(100).length).toBeLessThanOrEqual(100);
    expect(envelope.means(1)).toEqual([{ step: 102_100, value: 102_099 / 2 }]);
  });

  it('leave out steps without a value', () => {
    const envelope = filled([1, 2, NaN, 4]);
    envelope.add(9, 7);
    expect(envelope.means(5)).toEqual([
      { step: 2, value: 1.5 },
      { step: 4, value: 4 },
      { step: 10, value: 7 },
    ]);
  });
});

describe('the history of a run', () => {
  const steps = sampleSteps(3_000, 100, 245);
  const labels = Uint8Array.from({ length: 90 }, (_, i) => i % 10);

  it('has the loss and its 10-step running mean as the report has them', () => {
    const history = new RunHistory();
    for (const record of steps.slice(0, 500)) history.add(stepEvent(record), 0);
    const { loss, meanLoss, meanAccuracy, speed } = history.since(beginning).curves;
    expect(pairs(loss)).toEqual(steps.slice(0, 500).map((r) => [r.step, Number(r.loss.toPrecision(6))]));
    const means = runningMean(steps.slice(0, 500).map((r) => r.loss));
    expect(pairs(meanLoss)).toEqual([...means].map((mean, i) => [i + 9, Number(mean.toPrecision(6))]));
    expect(pairs(meanAccuracy)).toHaveLength(491);
    expect(pairs(speed)[0]).toEqual([9, Number(((2450 / 600) * 1000).toPrecision(6))]);
  });

  it('is the same for a resumed run and for one that was never interrupted', () => {
    const whole = new RunHistory();
    for (const record of steps) whole.add(stepEvent(record), 0);
    const resumed = new RunHistory({ before: { steps: steps.slice(0, 1_234), evaluations: [], digests: [] } });
    for (const record of steps.slice(1_234)) resumed.add(stepEvent(record), 0);
    expect(resumed.since(beginning).curves).toEqual(whole.since(beginning).curves);
    expect(whole.since(beginning).curves.loss.length / 2).toBeLessThanOrEqual(2 * maxBuckets);
  });

  it('keeps the last events, digests and the newest predictions only', () => {
    const history = new RunHistory();
    for (let i = 0; i < limits.events + 50; i++) history.add({ type: 'note', message: `note ${i}` }, i);
    for (let epoch = 1; epoch <= limits.digests + 5; epoch++) {
      history.add({ type: 'epoch', epoch, step: epoch, digest: 'ab'.repeat(32) }, 0);
    }
    const first = evaluationEvent(labels, 10, 1);
    history.add(first, 0);
    history.add(evaluationEvent(labels.toReversed(), 20, 2), 0);
    const part = history.since(beginning);
    expect(part.events).toHaveLength(limits.events);
    expect(part.events.at(-1)?.text).toContain('epoch 2 evaluated');
    expect(part.digests).toHaveLength(limits.digests);
    expect(part.digests[0]?.epoch).toBe(6);
    expect(part.evaluations.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(history.predictions?.predicted[1]).toBe(labels.at(-2));
  });

  it('thins many evaluations, and keeps the first and the last', () => {
    const history = new RunHistory();
    for (let epoch = 1; epoch <= 2_500; epoch++) history.add(evaluationEvent(labels, epoch, epoch), 0);
    const { evaluations } = history.since(beginning);
    expect(evaluations.length).toBeLessThanOrEqual(limits.evaluations);
    expect([evaluations[0]?.epoch, evaluations.at(-1)?.epoch]).toEqual([1, 2_500]);
  });
});

describe('updates', () => {
  it('assembled by a page give the same as a page opened at the end', () => {
    const { view, history } = sampleRun('/run', { epochs: 30 });
    const run = describeRun(view.manifest, view.plan, view.path);
    const source = { boot: newBootId(), plan: view.plan, history, status: statusReply, report: false };
    let [state, cursor]: [PageState | undefined, string | undefined] = [undefined, undefined];
    const look = () => {
      const update = describeUpdate(
        source,
        cursor === undefined ? undefined : readCursor(cursor, source.boot, history.cursor),
      );
      state = applyUpdate(run, state, update);
      cursor = update.cursor;
    };
    look();
    for (const record of sampleSteps(3_000, 100, 245)) {
      history.add(stepEvent(record), 0);
      if (record.step % 100 === 99) {
        history.add({ type: 'epoch', epoch: record.epoch, step: record.step + 1, digest: 'cd'.repeat(32) }, 1);
        history.add(evaluationEvent(view.test.labels, record.step + 1, record.epoch), 2);
      }
      // At no regular distance, so that updates end within buckets and across their doublings.
      if (record.step % 37 === 5) look();
    }
    look();
    expect(state).toEqual(applyUpdate(run, undefined, describeUpdate(source, undefined)));
    expect(state!.curves.loss.length / 2).toBeGreaterThan(1_000);
    expect(state!.evaluations).toHaveLength(30);
  });

  it('start over for a cursor of another process, or of a future time', () => {
    const now = { step: 5, version: 3 };
    expect(readCursor('0123456789ab.5.3', '0123456789ab', now)).toEqual(now);
    expect(readCursor('0123456789ab.6.3', '0123456789ab', now)).toBeUndefined();
    expect(readCursor('ba9876543210.5.3', '0123456789ab', now)).toBeUndefined();
  });

  it('name the worker that an overdue step waits for, in its row', () => {
    const { view, history } = sampleRun('/run', { steps: 20 });
    const workers = [{ workerId: 'two', shards: [1], phase: 'computing' as const }];
    history.add({ type: 'waiting', step: 20, workers, seconds: 4.25, reason: 'step 20 waits for two' }, 0);
    const source = { boot: newBootId(), plan: view.plan, history, status: statusReply, report: false };
    const { status } = describeUpdate(source, undefined);
    expect(status.reason).toBe('step 20 waits for two');
    expect(status.workers.map(({ waitedFor }) => waitedFor)).toEqual([undefined, 'computing, for 4.3 s']);
    expect(status.secondsLeft).toBeCloseTo((180 * 60) / 1000, 6);
    history.add(stepEvent(sampleSteps(21, 100, 245)[20]!), 0);
    expect(describeUpdate(source, undefined).status.workers[1]?.waitedFor).toBeUndefined();
  });
});

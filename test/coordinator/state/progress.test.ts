import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../coordinator/state/events.js';
import { RunHistory } from '../../../coordinator/state/history.js';
import { countEvaluations, describeHistory, secondsLeft } from '../../../coordinator/state/progress.js';
import type { EvaluationRecord, RecordedHistory, StepRecord } from '../../../run/records.js';
import { planSteps } from '../../../job/plan.js';

const predictions = { predicted: new Uint8Array(0), confidence: new Float32Array(0) };

const plan = planSteps({ shards: 1, epochs: 4, batchPerShard: 10 }, 100);
const nothing: RecordedHistory = { steps: [], evaluations: [], digests: [] };

function step(index: number, changes: Partial<StepRecord> = {}): StepRecord {
  const epoch = Math.floor(index / 10) + 1;
  return {
    step: index,
    epoch,
    samples: 10,
    loss: index,
    correct: 1,
    learningRate: 0.5,
    durationMs: 100,
    workers: 1,
    ...changes,
  };
}

function evaluation(epoch: number): EvaluationRecord {
  return { step: 10 * epoch, epoch, loss: 1.5, correct: 3, total: 4, confusion: [] };
}

function progress(before = nothing): RunHistory {
  return new RunHistory({ before, checkpointStep: before.steps.length });
}

function left(of: RunHistory, at: number): number {
  return secondsLeft(of, { plan, evaluateEveryEpochs: 1 }, at);
}

function handle(of: RunHistory, ...events: RunEvent[]): void {
  events.forEach((event, i) => of.add(event, 1_000 + i));
}

describe('the progress of a run', () => {
  it('begins with what the run did before this start, without its speed', () => {
    const steps = Array.from({ length: 12 }, (_, i) => step(i));
    const record = evaluation(1);
    const of = progress({
      steps,
      evaluations: [{ record, testRows: [], durationMs: 400 }],
      digests: [{ epoch: 1, step: 10, digest: 'ab' }],
    });
    const { samples, last, recent } = of.curves;
    expect([samples, last?.step, recent.means()?.loss, of.checkpointStep]).toEqual([120, 11, 6.5, 12]);
    expect([of.evaluation, of.digest?.digest]).toEqual([record, 'ab']);
    expect([of.pace.means(), left(of, 12)]).toEqual([undefined, 0]);
    expect(describeHistory(of).steps).toEqual(steps.map((s) => s.step + 1));
  });

  it('reports the time left from the median step and the remaining evaluations, until it is over', () => {
    const of = progress();
    handle(
      of,
      ...[100, 100, 5_000].map((durationMs, i) => ({ type: 'step', record: step(i, { durationMs }) }) as const),
    );
    expect(left(of, 3)).toBeCloseTo(3.7);
    handle(of, { type: 'evaluation', record: evaluation(1), testRows: [], predictions, durationMs: 2_000 });
    expect(left(of, 10)).toBeCloseTo(3 + 3 * 2);
    expect(of.pace.means()?.imagesPerSecond).toBeCloseTo(30 / 5.2);
    handle(of, { type: 'state', state: 'stopped', reason: 'x' });
    expect([left(of, 10), of.state]).toEqual([0, { state: 'stopped', reason: 'x' }]);
  });

  it('keeps the newest digest and checkpoint', () => {
    const of = progress();
    handle(of, { type: 'epoch', epoch: 2, step: 20, digest: 'cd' });
    handle(of, { type: 'checkpoint', step: 20, path: 'p', durationMs: 5, blockedMs: 0 });
    expect(of.digest).toMatchObject({ epoch: 2, step: 20, digest: 'cd' });
    expect(of.checkpointStep).toBe(20);
  });

  it('has bounded length: 500 points and evaluations, 50 notes of one line, the newest last', () => {
    const of = progress();
    for (let i = 0; i < 3_000; i++) handle(of, { type: 'step', record: step(i) });
    for (let i = 1; i <= 600; i++)
      handle(of, { type: 'evaluation', record: evaluation(i), testRows: [], predictions, durationMs: 1 });
    handle(of, { type: 'note', message: 'last\nsecond line' });
    const { steps, losses, evaluations, notes } = describeHistory(of);
    expect([steps.length <= 500, losses.length, steps.at(-1)]).toEqual([true, steps.length, 3_000]);
    expect([evaluations.length, evaluations.at(-1)]).toEqual([
      500,
      { epoch: 600, step: 6_000, loss: 1.5, accuracy: 0.75 },
    ]);
    expect([notes.length, notes.at(-1)]).toEqual([50, { timeMs: 1_000, text: 'last' }]);
    expect(describeHistory(of, 100).steps.length).toBeLessThanOrEqual(100);
  });
});

describe('remaining evaluations', () => {
  it.each([
    [0, 4, 1, 4],
    [1, 4, 1, 3],
    [0, 4, 2, 2],
    [0, 5, 2, 3],
    [4, 5, 2, 1],
    [0, 100, 0, 1],
    [4, 4, 1, 0],
    [4, 4, 0, 0],
  ])('after %i of %i epochs, made every %i, are %i', (tested, epochs, every, expected) => {
    expect(countEvaluations(tested, epochs, every)).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../coordinator/events.js';
import { countEvaluations, RunProgress } from '../../../coordinator/observe/progress.js';
import type { EvaluationRecord, RunHistorySoFar, StepRecord } from '../../../coordinator/records.js';
import { planSteps } from '../../../job/plan.js';

const predictions = { predicted: new Uint8Array(0), confidence: new Float32Array(0) };

const plan = planSteps({ shards: 1, epochs: 4, batchPerShard: 10 }, 100);
const nothing: RunHistorySoFar = { steps: [], evaluations: [], digests: [] };

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

function progress(before = nothing, evaluateEveryEpochs = 1): RunProgress {
  return new RunProgress({ plan, evaluateEveryEpochs, before, checkpointStep: before.steps.length });
}

function handle(of: RunProgress, ...events: RunEvent[]): void {
  events.forEach((event, i) => of.handle(event, 1_000 + i));
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
    expect([of.samplesTrained, of.last?.step, of.lossMean, of.checkpointStep]).toEqual([120, 11, 6.5, 12]);
    expect([of.test, of.digest?.digest]).toEqual([record, 'ab']);
    expect([of.rateSamplesPerSecond, of.secondsLeft(12)]).toEqual([0, 0]);
    expect(of.history().steps).toEqual(steps.map((s) => s.step + 1));
  });

  it('says the time left from the median step and the evaluations to come, until it is over', () => {
    const of = progress();
    handle(
      of,
      ...[100, 100, 5_000].map((durationMs, i) => ({ type: 'step', record: step(i, { durationMs }) }) as const),
    );
    expect(of.secondsLeft(3)).toBeCloseTo(3.7);
    handle(of, { type: 'evaluation', record: evaluation(1), testRows: [], predictions, durationMs: 2_000 });
    expect(of.secondsLeft(10)).toBeCloseTo(3 + 3 * 2);
    expect(of.rateSamplesPerSecond).toBeCloseTo(30 / 5.2);
    handle(of, { type: 'state', state: 'stopped', reason: 'x' });
    expect([of.secondsLeft(10), of.state, of.reason]).toEqual([0, 'stopped', 'x']);
  });

  it('keeps the newest digest and checkpoint', () => {
    const of = progress();
    handle(of, { type: 'epoch', epoch: 2, step: 20, digest: 'cd' });
    handle(of, { type: 'checkpoint', step: 20, path: 'p', durationMs: 5, blockedMs: 0 });
    expect([of.digest, of.checkpointStep]).toEqual([{ epoch: 2, step: 20, digest: 'cd' }, 20]);
  });

  it('has a bounded history: 500 points and evaluations, 50 notes of one line, the newest last', () => {
    const of = progress();
    for (let i = 0; i < 3_000; i++) handle(of, { type: 'step', record: step(i) });
    for (let i = 1; i <= 600; i++)
      handle(of, { type: 'evaluation', record: evaluation(i), testRows: [], predictions, durationMs: 1 });
    handle(of, { type: 'note', message: 'last\nsecond line' });
    const { steps, losses, evaluations, notes } = of.history();
    expect([steps.length <= 500, losses.length, steps.at(-1)]).toEqual([true, steps.length, 3_000]);
    expect([evaluations.length, evaluations.at(-1)]).toEqual([
      500,
      { epoch: 600, step: 6_000, loss: 1.5, accuracy: 0.75 },
    ]);
    expect([notes.length, notes.at(-1)]).toEqual([50, { timeMs: 1_000, text: 'last' }]);
    expect(of.history(100).steps.length).toBeLessThanOrEqual(100);
  });
});

describe('evaluations to come', () => {
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

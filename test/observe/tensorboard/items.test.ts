import { describe, expect, it } from 'vitest';
import { TensorboardItems } from '../../../observe/tensorboard/items.js';
import type { TensorboardItem } from '../../../observe/tensorboard/item.js';
import { StepPoints, stepsPerPoint } from '../../../observe/tensorboard/step-points.js';
import type { EvaluationEntry, RecordedHistory, StepRecord } from '../../../run/records.js';
import { planSteps } from '../../../job/plan.js';
import { smallManifest } from '../../coordinator/manifest.js';
import { sampleEvaluation } from '../../run/report/sample.js';

const record = (step: number, change: Partial<StepRecord> = {}): StepRecord => ({
  ...{ step, epoch: 1, samples: 4, loss: step, correct: 1, learningRate: 0.1, durationMs: 500, workers: 1 },
  ...change,
});

describe('points of the training curves', () => {
  it('are one per step up to 5,000 steps, and never more than 5,000', () => {
    const steps = [1, 5_000, 5_001, 10_210, 102_100];
    expect(steps.map((totalSteps) => stepsPerPoint({ totalSteps }))).toEqual([1, 1, 2, 3, 21]);
  });

  it('are means over samples, rates over time, and the learning rate of the last step', () => {
    const points = new StepPoints(2);
    expect(points.add(record(0, { samples: 3, loss: 2, correct: 0 }))).toBeUndefined();
    expect(points.add(record(1, { samples: 1, loss: 6, correct: 1, learningRate: 0.2, durationMs: 1500 }))).toEqual({
      step: 2,
      durationMs: 2000,
      values: {
        'train/loss': 3,
        'train/accuracy': 0.25,
        'train/learning_rate': 0.2,
        'train/images_per_second': 2,
      },
    });
    expect(points.finish()).toBeUndefined();
  });

  it('cover the remaining steps when the run ends, or a step is skipped', () => {
    const points = new StepPoints(2);
    expect(points.add(record(0))).toBeUndefined();
    expect(points.finish()?.step).toBe(1);
    expect(points.add(record(3))?.values['train/loss']).toBe(3);
  });
});

const manifest = smallManifest(1);
const plan = { ...planSteps(manifest.spec, 8), totalSteps: 10_000 };
const evaluation = (step: number): EvaluationEntry => ({
  record: sampleEvaluation(step, 2),
  testRows: [],
  durationMs: 5,
});
const nothing: RecordedHistory = { steps: [], evaluations: [], digests: [] };
const summary = (items: readonly TensorboardItem[]) => items.map(({ kind, step }) => `${kind} ${step}`);

describe('the files', () => {
  it('have the same points for a run resumed in mid-point as for one that was not interrupted', () => {
    const all = Array.from({ length: 9 }, (_, step) => record(step));
    const quiet = new TensorboardItems({ manifest, plan });
    const expected = all.flatMap((one) => quiet.of({ type: 'step', record: one }, 0));
    const items = new TensorboardItems({ manifest, plan });
    const history = items.history({ ...nothing, steps: all.slice(0, 5) }, 0).filter(({ kind }) => kind === 'scalars');
    const found = [...history, ...all.slice(5).flatMap((one) => items.of({ type: 'step', record: one }, 0))];
    const values = (written: readonly TensorboardItem[]) =>
      written.map((item) => [item.step, item.kind === 'scalars' && item.values]);
    expect(values(found)).toEqual(values(expected));
    expect(found.map(({ step }) => step)).toEqual([2, 4, 6, 8]);
  });

  it('reckon the times of earlier steps back from the start, in order, skipped steps included', () => {
    const steps = [record(0), record(1), record(3)];
    const before = { steps, evaluations: [], digests: [{ epoch: 1, step: 3, digest: 'ab' }] };
    const items = new TensorboardItems({ manifest, plan: { ...plan, totalSteps: 10 } }).history(before, 100);
    const times = items.map(({ kind, step, wallSeconds }) => [kind, step, wallSeconds]);
    expect(times).toEqual([
      ['text', 0, 98.5],
      ['scalars', 1, 99],
      ['scalars', 2, 99.5],
      ['text', 3, 99.5],
      ['scalars', 4, 100],
    ]);
  });

  it('draw the confusion matrices of the last ten evaluations again, and all of their scalars', () => {
    const evaluations = Array.from({ length: 12 }, (_, i) => evaluation(i + 1));
    const written = summary(new TensorboardItems({ manifest, plan }).history({ ...nothing, evaluations }, 0));
    expect(written.filter((item) => item.startsWith('scalars'))).toHaveLength(12);
    expect(written.filter((item) => item.startsWith('confusion'))[0]).toBe('confusion 3');
    expect(written.filter((item) => item.startsWith('confusion'))).toHaveLength(10);
  });

  it('close the last point when the run reports or fails, and have nothing for values that are not shown', () => {
    const items = new TensorboardItems({ manifest, plan });
    expect(items.of({ type: 'step', record: record(0) }, 0)).toEqual([]);
    expect(items.of({ type: 'note', message: 'hello' }, 0)).toEqual([]);
    expect(items.of({ type: 'state', state: 'paused', reason: 'on demand' }, 0)).toEqual([]);
    expect(summary(items.of({ type: 'state', state: 'reporting', reason: '' }, 0))).toEqual(['scalars 1']);
    expect(items.of({ type: 'state', state: 'finished', reason: '' }, 0)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { describeWarmup, learningRate } from '../../job/schedule.js';

const run = { stepsPerEpoch: 10, totalSteps: 100 };

describe('learningRate', () => {
  it('stays at the base when constant', () => {
    const schedule = { type: 'constant', warmupSteps: 0 } as const;
    expect([0, 50, 99].map((step) => learningRate(schedule, 0.3, step, run))).toEqual([0.3, 0.3, 0.3]);
  });

  it('rises linearly over the warm-up and reaches the base in its last step', () => {
    const schedule = { type: 'constant', warmupSteps: 4 } as const;
    expect([0, 1, 2, 3, 4].map((step) => learningRate(schedule, 1, step, run))).toEqual([0.25, 0.5, 0.75, 1, 1]);
  });

  it('is reduced by the factor at the beginning of every n-th epoch', () => {
    const schedule = { type: 'step', warmupSteps: 0, everyEpochs: 3, factor: 0.5 } as const;
    expect([0, 29, 30, 59, 60, 99].map((step) => learningRate(schedule, 1, step, run))).toEqual([
      1, 1, 0.5, 0.5, 0.25, 0.125,
    ]);
  });

  it('follows the cosine from the end of the warm-up to the final share after the last step', () => {
    const schedule = { type: 'cosine', warmupSteps: 20, finalFactor: 0.1 } as const;
    const rate = (step: number) => learningRate(schedule, 2, step, run);
    expect(rate(19)).toBe(2);
    expect(rate(20)).toBe(2);
    expect(rate(60)).toBeCloseTo(2 * 0.55, 12);
    expect(rate(99)).toBeCloseTo(2 * (0.1 + (0.9 * (1 + Math.cos((Math.PI * 79) / 80))) / 2), 12);
    expect(rate(99)).toBeGreaterThan(0.2);
  });

  it('never rises after the warm-up of a cosine', () => {
    const schedule = { type: 'cosine', warmupSteps: 5, finalFactor: 0 } as const;
    for (let step = 6; step < 100; step++) {
      expect(learningRate(schedule, 1, step, run)).toBeLessThan(learningRate(schedule, 1, step - 1, run));
    }
  });
});

describe('describeWarmup', () => {
  const remark = (warmupSteps: number) => describeWarmup({ type: 'constant', warmupSteps }, 0.5, run);

  it('reports nothing if the rate reaches its base', () => {
    expect([0, 99, 100].map(remark)).toEqual([[], [], []]);
  });

  it('reports a warm-up that is longer than the run, and the rate that it ends with', () => {
    expect(remark(150)).toEqual([
      "schedule.warmupSteps: expected at most the run's 100 steps, got 150; " +
        'the learning rate rises to 0.333 at the last step and never reaches 0.5',
    ]);
  });
});

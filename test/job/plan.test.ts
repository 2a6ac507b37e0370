import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  batchSizes,
  epochOf,
  globalSamples,
  planSteps,
  samplesInStep,
  shardRange,
  type StepPlan,
} from '../../job/plan.js';

const epochs = 3;
const cifar = 50_000;

function counts(plan: StepPlan, stepInEpoch: number): number[] {
  return plan.shardSizes.map((_, shard) => samplesInStep(plan, shard, stepInEpoch).count);
}

/** Every count of an epoch, `[step][shard]`. */
function epochCounts(plan: StepPlan): number[][] {
  return Array.from({ length: plan.stepsPerEpoch }, (_, step) => counts(plan, step));
}

/** Each shard's ranges are consecutive from 0 to the shard's end. */
function expectDisjointAndComplete(plan: StepPlan): void {
  plan.shardSizes.forEach((size, shard) => {
    let next = 0;
    for (let step = 0; step < plan.stepsPerEpoch; step++) {
      const range = samplesInStep(plan, shard, step);
      expect(range.start).toBe(next);
      expect(range.count).toBeGreaterThanOrEqual(step < plan.stepsPerEpoch - 1 ? 1 : 0);
      next += range.count;
    }
    expect(next).toBe(size);
  });
}

describe('shardRange', () => {
  it('makes CIFAR-10’s training batches of five shards, and cuts each in two with ten', () => {
    expect([0, 1, 4].map((shard) => shardRange(cifar, 5, shard))).toEqual([
      { start: 0, count: 10_000 },
      { start: 10_000, count: 10_000 },
      { start: 40_000, count: 10_000 },
    ]);
    expect(shardRange(cifar, 10, 3)).toEqual({ start: 15_000, count: 5_000 });
  });

  it('keeps every cut of a training batch inside it for any multiple of five', () => {
    for (let k = 1; k <= 200; k++) {
      for (let batch = 0; batch < 5; batch++) expect(shardRange(cifar, 5 * k, batch * k).start).toBe(batch * 10_000);
    }
  });

  it('is disjoint, complete and even to one sample', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(1000), (shards, more) => {
        const ranges = Array.from({ length: shards }, (_, shard) => shardRange(shards + more, shards, shard));
        ranges.forEach(({ start, count }, shard) => {
          expect(start).toBe(shard === 0 ? 0 : ranges[shard - 1]!.start + ranges[shard - 1]!.count);
          expect([Math.floor(1 + more / shards), Math.ceil(1 + more / shards)]).toContain(count);
        });
        expect(ranges.at(-1)!.start + ranges.at(-1)!.count).toBe(shards + more);
      }),
    );
  });
});

describe('planSteps with batchPerShard', () => {
  it('cuts 10,000 images per shard into 204 steps of 49 and one of 4', () => {
    const plan = planSteps({ shards: 5, epochs, batchPerShard: 49 }, cifar);
    expect([plan.stepsPerEpoch, plan.totalSteps]).toEqual([205, 615]);
    expect(samplesInStep(plan, 2, 203)).toEqual({ start: 9947, count: 49 });
    expect(samplesInStep(plan, 2, 204)).toEqual({ start: 9996, count: 4 });
    expect([globalSamples(plan, 0), globalSamples(plan, 204)]).toEqual([245, 20]);
    expect(batchSizes(plan)).toEqual([49, 4]);
  });

  it("has the lecture's 1,021 steps for one shard", () => {
    const plan = planSteps({ shards: 1, epochs, batchPerShard: 49 }, cifar);
    expect(plan.stepsPerEpoch).toBe(1021);
    expect(batchSizes(plan)).toEqual([49, 20]);
  });

  it('needs one program only when the batch divides the shard, or exceeds it', () => {
    expect(batchSizes(planSteps({ shards: 5, epochs, batchPerShard: 50 }, cifar))).toEqual([50]);
    const single = planSteps({ shards: 4, epochs, batchPerShard: 1000 }, 40);
    expect([single.stepsPerEpoch, ...batchSizes(single)]).toEqual([1, 10]);
  });

  it('lets a shard that is one sample shorter contribute none to the last step', () => {
    const plan = planSteps({ shards: 2, epochs, batchPerShard: 4 }, 17);
    expect(epochCounts(plan)).toEqual([
      [4, 4],
      [4, 4],
      [0, 1],
    ]);
    expect(batchSizes(plan)).toEqual([4, 1]);
  });
});

describe('planSteps with globalBatch', () => {
  it('shares 49 over five shards as 10+10+10+10+9, the 9 moving, all exhausted after 1,021 steps', () => {
    const plan = planSteps({ shards: 5, epochs, globalBatch: 49 }, cifar);
    expect([0, 1, 2, 3, 4, 5].map((step) => counts(plan, step))).toEqual([
      [10, 10, 10, 10, 9],
      [10, 10, 10, 9, 10],
      [10, 10, 9, 10, 10],
      [10, 9, 10, 10, 10],
      [9, 10, 10, 10, 10],
      [10, 10, 10, 10, 9],
    ]);
    expect(plan.stepsPerEpoch).toBe(1021);
    expect(counts(plan, 1020)).toEqual([4, 4, 4, 4, 4]);
    expect(batchSizes(plan)).toEqual([10, 9, 4]);
    expectDisjointAndComplete(plan);
  });

  it('shares every step as evenly as possible, and every step but the last is full', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(30), fc.nat(400), (shards, moreBatch, moreSamples) => {
        const globalBatch = shards + moreBatch;
        const plan = planSteps({ shards, epochs, globalBatch }, shards + moreSamples);
        epochCounts(plan).forEach((step, index) => {
          expect(Math.max(...step) - Math.min(...step)).toBeLessThanOrEqual(1);
          if (index < plan.stepsPerEpoch - 1) expect(globalSamples(plan, index)).toBe(globalBatch);
          else expect(globalSamples(plan, index)).toBeGreaterThan(0);
        });
      }),
    );
  });
});

describe('any plan', () => {
  const spec = fc.record({ shards: fc.integer({ min: 1, max: 12 }), batch: fc.integer({ min: 1, max: 40 }) });

  it('takes every sample of every shard once per epoch, and names exactly the programs that occur', () => {
    fc.assert(
      fc.property(spec, fc.nat(400), fc.boolean(), ({ shards, batch }, more, isGlobal) => {
        const size = isGlobal ? { globalBatch: shards + batch - 1 } : { batchPerShard: batch };
        const plan = planSteps({ shards, epochs, ...size }, shards + more);
        expectDisjointAndComplete(plan);
        const occurring = new Set(
          epochCounts(plan)
            .flat()
            .filter((count) => count > 0),
        );
        expect(batchSizes(plan)).toEqual([...occurring].sort((a, b) => b - a));
      }),
    );
  });

  it('counts epochs and steps in them from 0', () => {
    const plan = planSteps({ shards: 5, epochs, batchPerShard: 49 }, cifar);
    expect(epochOf(plan, 0)).toEqual({ epoch: 0, stepInEpoch: 0 });
    expect(epochOf(plan, 204)).toEqual({ epoch: 0, stepInEpoch: 204 });
    expect(epochOf(plan, 205)).toEqual({ epoch: 1, stepInEpoch: 0 });
  });

  it('is refused when there are more shards than images', () => {
    expect(() => planSteps({ shards: 8, epochs, batchPerShard: 1 }, 7)).toThrow(
      'plan: expected at least one training image per shard, got 7 images for 8 shards; lower shards',
    );
  });
});

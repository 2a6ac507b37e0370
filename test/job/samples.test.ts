import { describe, expect, it } from 'vitest';
import { planSteps } from '../../job/plan.js';
import { SampleOrder, sampleIndices } from '../../job/samples.js';

const plan = planSteps({ shards: 3, epochs: 4, batchPerShard: 7 }, 100);

function epochIndices(order: SampleOrder, shard: number, epoch: number): number[] {
  const steps = Array.from({ length: plan.stepsPerEpoch }, (_, i) => epoch * plan.stepsPerEpoch + i);
  return steps.flatMap((step) => [...order.indices(shard, step)]);
}

describe('SampleOrder', () => {
  it('visits every sample of a shard once per epoch', () => {
    const order = new SampleOrder(plan, 1);
    for (const shard of [0, 1, 2]) {
      const sorted = epochIndices(order, shard, 2).sort((a, b) => a - b);
      expect(sorted).toEqual(Array.from({ length: plan.shardSizes[shard]! }, (_, i) => i));
    }
  });

  it('orders each epoch, each shard and each seed differently', () => {
    const order = new SampleOrder(plan, 1);
    const orders = [epochIndices(order, 0, 0), epochIndices(order, 0, 1), epochIndices(order, 1, 0)];
    orders.push(epochIndices(new SampleOrder(plan, 2), 0, 0));
    expect(new Set(orders.map(String)).size).toBe(4);
  });

  it('gives the same indices out of order as in order', () => {
    const order = new SampleOrder(plan, 9);
    for (const step of [19, 0, 10, 4, 5, 19, 14, 0]) {
      for (const shard of [2, 0, 1]) expect(order.indices(shard, step)).toEqual(sampleIndices(plan, 9, shard, step));
    }
  });

  it('gives arrays that the caller may change', () => {
    const order = new SampleOrder(plan, 1);
    const before = [...order.indices(0, 0)];
    order.indices(0, 0).fill(0);
    expect([...order.indices(0, 0)]).toEqual(before);
  });

  it('gives the same indices permanently', () => {
    expect([...sampleIndices(plan, 1, 0, 0)]).toEqual([30, 7, 26, 27, 19, 25, 4]);
  });
});

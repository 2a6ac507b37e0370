import { describe, expect, it } from 'vitest';
import { planSteps } from '../../../job/plan.js';
import { chooseShard } from '../../../run/verify/choose-shard.js';

/** Ten steps per epoch. */
const plan = planSteps({ shards: 5, epochs: 4, batchPerShard: 10 }, 500);

describe('the shard to verify', () => {
  it.each([
    ['the last checkpoint is the end of the run', [0, 20, 30, 40], 40, 30],
    ['the run continued from its newest checkpoint', [0, 20, 30], 33, 30],
    ['only the first checkpoint was continued from', [0, 40], 40, 0],
  ])('belongs to the step after the newest checkpoint before the committed step: %s', (_, steps, committed, step) => {
    expect(chooseShard(plan, steps, committed)).toEqual({ shard: 0, step });
  });

  it.each([
    ['without a committed step', [0], 0],
    ['without a checkpoint', [], 7],
  ])('does not exist %s', (_, steps, committed) => {
    expect(chooseShard(plan, steps, committed)).toBeUndefined();
  });

  it('is the first with samples in that step', () => {
    // Shards of 2, 2 and 3 samples: only the last one has a sample left for the third step.
    const uneven = planSteps({ shards: 3, epochs: 1, batchPerShard: 1 }, 7);
    expect(uneven.shardSizes).toEqual([2, 2, 3]);
    expect(chooseShard(uneven, [0, 2], 3)).toEqual({ shard: 2, step: 2 });
  });
});

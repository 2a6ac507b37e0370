import { describe, expect, it } from 'vitest';
import { FetchPriority } from '../../worker/fetch-priority.js';
import { smallManifest } from '../coordinator/manifest.js';

const manifest = smallManifest(10);
const names = (order: FetchPriority) => order.parts.map(({ set, index }) => `${set} ${index}`);

describe('the order in which a worker fetches its parts', () => {
  it('is the shards as assigned, then the test set once that is not to wait', () => {
    const order = new FetchPriority(manifest);
    order.assign({ shards: [1, 0], evaluationBatches: [1] });
    expect(names(order)).toEqual(['shard 1', 'shard 0']);
    expect(order.includeEvaluation()).toBe(true);
    expect(names(order)).toEqual(['shard 1', 'shard 0', 'evaluation 1']);
    expect(order.includeEvaluation()).toBe(false);
    order.assign({ shards: [0], evaluationBatches: [0, 1] });
    expect(names(order)).toEqual(['shard 0', 'evaluation 0', 'evaluation 1']);
  });

  it('is the test set at once where there are no shards to fetch', () => {
    const order = new FetchPriority(manifest);
    order.assign({ shards: [], evaluationBatches: [1, 0] });
    expect(names(order)).toEqual(['evaluation 1', 'evaluation 0']);
  });
});

import { describe, expect, it } from 'vitest';
import { FetchPriority } from '../../worker/fetch-priority.js';
import { smallManifest } from '../coordinator/manifest.js';

const manifest = smallManifest(10);
const names = (priority: FetchPriority) => priority.chunks.map(({ set, index }) => `${set} ${index}`);

describe('the fetch priority of a worker', () => {
  it('is the shards as assigned, then the test set once that need not wait', () => {
    const priority = new FetchPriority(manifest);
    priority.assign({ shards: [1, 0], evaluationBatches: [1] });
    expect(names(priority)).toEqual(['shard 1', 'shard 0']);
    expect(priority.includeEvaluation()).toBe(true);
    expect(names(priority)).toEqual(['shard 1', 'shard 0', 'evaluation 1']);
    expect(priority.includeEvaluation()).toBe(false);
    priority.assign({ shards: [0], evaluationBatches: [0, 1] });
    expect(names(priority)).toEqual(['shard 0', 'evaluation 0', 'evaluation 1']);
  });

  it('is the test set at once where there are no shards to fetch', () => {
    const priority = new FetchPriority(manifest);
    priority.assign({ shards: [], evaluationBatches: [1, 0] });
    expect(names(priority)).toEqual(['evaluation 1', 'evaluation 0']);
  });
});

import { describe, expect, it } from 'vitest';
import { prepareJob } from '../../coordinator/prepare-job.js';
import type { ModelTopology } from '../../engine/engine.js';
import type { Dataset, Split } from '../../data/dataset.js';
import { parseSpec } from '../../job/spec.js';
import { dense, flatten, type LayerJson, sequential } from '../engine/topologies.js';

const split = (count: number): Split => ({
  count,
  images: new Uint8Array(count * 48),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 3),
});
const dataset: Dataset = {
  name: 'synthetic',
  title: 'none',
  synthetic: true,
  classes: ['a', 'b', 'c'],
  imageShape: [4, 4, 3],
  normalise: { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] },
  trainBatches: [12],
  train: split(12),
  test: split(4),
};
const spec = (model: string) => parseSpec({ name: 'x', model, epochs: 1, shards: 2, batchPerShard: 3 });
const topology = sequential(dataset.imageShape, [flatten, dense({})]);
const reader = (read: ModelTopology) => () => Promise.resolve(read);

describe('a model that is read from a file', () => {
  it('becomes part of the spec, which then prepares the same job without the file', async () => {
    const first = await prepareJob(spec('models/net.mjs'), dataset, reader(topology));
    expect(first.manifest).toMatchObject({ parameterCount: 48 * 3 + 3, topology, spec: { model: 'net', topology } });
    const again = await prepareJob(first.manifest.spec, dataset);
    expect(again.manifest).toEqual(first.manifest);
    expect(again.initial).toEqual(first.initial);
  });

  it.each<[string, LayerJson[], object]>([
    [
      'a kernel that is not known',
      [{ class_name: 'UpSampling2D', config: { name: 'up', size: [2, 2] } }, flatten, dense({})],
      { code: 'UNSUPPORTED_KERNEL', context: { layer: 'up', kernel: 'ResizeNearestNeighbor' } },
    ],
    ['another number of logits', [flatten, dense({ units: 10 })], { code: 'UNSUPPORTED_MODEL' }],
  ])('is refused with %s', async (_, layers, error) => {
    const model = sequential(dataset.imageShape, layers);
    await expect(prepareJob(spec('net.json'), dataset, reader(model))).rejects.toMatchObject(error);
  });
});

it('a spec without a reader knows built-in models only', async () => {
  await expect(prepareJob(spec('net.json'), dataset)).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
  expect((await prepareJob(spec('mlp'), dataset)).manifest.spec.topology).toBeUndefined();
});

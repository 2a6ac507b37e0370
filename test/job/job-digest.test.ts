import { describe, expect, it } from 'vitest';
import { jobDigest } from '../../job/digest.js';
import { digestedDifferences } from '../../job/job-digest.js';
import { resolveSpec } from '../../job/resolve.js';
import { parseSpec } from '../../job/spec.js';

const base = { name: 'x', model: 'cnn3', epochs: 2, shards: 4, batchPerShard: 8 };
const digest = (change: object) =>
  jobDigest({ spec: parseSpec({ ...base, ...change }), topology: {}, datasetDigest: 'd', arithmetic: null });

describe('the digest of a job', () => {
  it.each<[string, object]>([
    ['name', { name: 'y' }],
    ['evaluation', { evaluation: { batch: 50, everyEpochs: 0 } }],
    ['minWorkers', { minWorkers: 3 }],
    ['numerics', { numerics: 'mixed' }],
    ['audit', { audit: 0.5 }],
    ['checkpoint', { checkpoint: { everySteps: 7 } }],
  ])('leaves out %s, which changes no weight', (_, change) => {
    expect(digest(change)).toBe(digest({}));
    expect(digestedDifferences(parseSpec(base), parseSpec({ ...base, ...change }))).toEqual([]);
  });

  const onnx = (fields: object = {}) => ({ engine: { name: 'onnx', ...fields } });

  it('is what it was in version 0.3.0, for the same engine and the plain loss', () => {
    const old = '7bbc08362f611bac03932a640e0ce478961720582ba33cf02bccf8e3ad846b98';
    expect(digest(onnx())).toBe(old);
    expect(digest({ ...onnx(), loss: { type: 'softmaxCrossEntropy', labelSmoothing: 0 } })).toBe(old);
    expect(digest(onnx({ device: 'auto', precision: 'float32' }))).toBe(old);
  });

  it('includes device and precision of a GPU, but not its index', () => {
    expect(digest(onnx({ device: 'cuda:1' }))).toBe(digest(onnx({ device: 'cuda' })));
    const all = [{}, { device: 'cuda' }, { device: 'cuda', precision: 'tf32' }, { device: 'webgpu' }];
    expect(new Set(all.map((fields) => digest(onnx(fields)))).size).toBe(all.length);
  });

  it('leaves out threads and device of the native engine', () => {
    expect(digest({ engine: { threads: 8, device: 'cpu' } })).toBe(digest({}));
    expect(digest({ engine: { name: 'tensorflow', threads: 2 } })).not.toBe(digest({ engine: { name: 'tensorflow' } }));
  });

  it('leaves out the location of an image folder and how it is read, which the digest of its data covers', () => {
    const folder = { data: { dataset: 'folder', path: 'a' } };
    const elsewhere = { data: { dataset: 'folder', path: 'b', image: { height: 64 }, testShare: 0.5 } };
    expect(digest(elsewhere)).toBe(digest(folder));
    expect(digest(folder)).not.toBe(digest({}));
  });

  it('of a preset is what it was before there were image folders', () => {
    const spec = resolveSpec({ preset: 'cluster-cnn3', sets: ['engine.name=onnx'] });
    const before = 'b68f2ccb916f99ad71a9fac7c198cc36b00fb9c565ea4f99a65bc644fcf6ba11';
    expect(jobDigest({ spec, topology: {}, datasetDigest: 'x', arithmetic: null })).toBe(before);
  });

  it.each<[string, object, object[]]>([
    ['seed', { seed: 2 }, [{ path: 'seed', before: 1, after: 2 }]],
    ['onNonFinite', { onNonFinite: 'skip' }, [{ path: 'onNonFinite', before: 'fail', after: 'skip' }]],
    [
      'a smoothed loss, against the plain one that it leaves out',
      { loss: { type: 'softmaxCrossEntropy', labelSmoothing: 0.1 } },
      [{ path: 'loss', before: undefined, after: { type: 'softmaxCrossEntropy', labelSmoothing: 0.1 } }],
    ],
    [
      'a topology, without spelling it out',
      { topology: { class_name: 'Sequential' } },
      [{ path: 'topology', before: undefined, after: 'another one' }],
    ],
    [
      'a field of a section',
      { optimizer: { type: 'sgd', momentum: 0.5 } },
      [{ path: 'optimizer.momentum', before: 0.9, after: 0.5 }],
    ],
    [
      'a field that one of them lacks',
      { batchPerShard: undefined, globalBatch: 16 },
      [
        { path: 'batchPerShard', before: 8, after: undefined },
        { path: 'globalBatch', before: undefined, after: 16 },
      ],
    ],
  ])('has %s, and reports both values', (_, change, differences) => {
    expect(digest(change)).not.toBe(digest({}));
    expect(digestedDifferences(parseSpec(base), parseSpec({ ...base, ...change }))).toEqual(differences);
  });
});

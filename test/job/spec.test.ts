import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../job/spec.js';

const minimal = { name: 'x', model: 'cnn3', epochs: 2, shards: 4, batchPerShard: 8 };

describe('parseSpec', () => {
  it('fills in every default', () => {
    expect(parseSpec(minimal)).toEqual({
      ...minimal,
      seed: 1,
      loss: { type: 'softmaxCrossEntropy', labelSmoothing: 0 },
      data: { dataset: 'cifar10', augment: { flip: false, crop: 0 } },
      optimizer: { type: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 0 },
      schedule: { type: 'constant', warmupSteps: 0 },
      evaluation: { batch: 100, everyEpochs: 1 },
      engine: { name: 'native', threads: 1, lowering: 'auto', device: 'auto', precision: 'float32' },
      minWorkers: 1,
      numerics: 'strict',
      onNonFinite: 'fail',
      audit: 0,
      checkpoint: { everySteps: 200 },
    });
  });

  it.each<[string, object, string]>([
    [
      'neither batch',
      { batchPerShard: undefined },
      'batchPerShard: expected exactly one of batchPerShard and globalBatch, got neither',
    ],
    [
      'both batches',
      { globalBatch: 8 },
      'batchPerShard: expected exactly one of batchPerShard and globalBatch, got both',
    ],
    [
      'less than one sample per shard',
      { batchPerShard: undefined, globalBatch: 3 },
      'globalBatch: expected at least one sample per shard (4), got 3',
    ],
    [
      'Nesterov without momentum',
      { optimizer: { type: 'sgd', momentum: 0, nesterov: true } },
      'optimizer.nesterov: expected momentum above 0 with nesterov, got momentum 0',
    ],
    ['an unknown optimizer', { optimizer: { type: 'sdg' } }, 'optimizer.type: expected sgd, adam or adamw, got "sdg"'],
    [
      'a field of another schedule',
      { schedule: { type: 'cosine', factor: 0.1 } },
      'schedule.factor: unknown key with this type',
    ],
    [
      'a model that is neither built in nor a file',
      { model: 'vgg' },
      'model: expected one of cnn3, cnn4, resnet20, mlp, or a file that ends in .json, .js or .mjs, got "vgg"',
    ],
    [
      'all of the expected distribution smoothed away',
      { loss: { type: 'softmaxCrossEntropy', labelSmoothing: 1 } },
      'loss.labelSmoothing: expected a number of at least 0 and below 1, got 1',
    ],
    [
      'a name that Kubernetes would refuse',
      { name: 'My Job' },
      'name: expected lower-case letters, digits and dashes, 1 to 53 characters, got "My Job"',
    ],
  ])('refuses %s', (_, change, problem) => {
    expect(() => parseSpec({ ...minimal, ...change })).toThrow(
      expect.objectContaining({ code: 'BAD_SPEC', message: `job spec: 1 problem\n  ${problem}` }),
    );
  });

  it('takes a file for a model, and any title beside a topology', () => {
    expect(parseSpec({ ...minimal, model: './net.json' }).model).toBe('./net.json');
    const topology = { class_name: 'Sequential', config: {} };
    expect(parseSpec({ ...minimal, model: 'mine', topology })).toMatchObject({ model: 'mine', topology });
  });

  it.each([null, [], 'cnn3'])('refuses %j as a whole', (value) => {
    expect(() => parseSpec(value)).toThrow(
      /\(whole spec\): expected keys and values \(name, model, .*\), got (null|\[\]|"cnn3")/,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  checkArgument,
  checkDataset,
  checkOptions,
  datasetFields,
  trainOptionsSchema,
} from '../../../cli/api/check-options.js';

describe('the options of train', () => {
  const check = (options: unknown) => () => checkOptions('train', trainOptionsSchema, options);

  it.each([
    {},
    { preset: 'cluster-cnn3', workers: 2, run: 'runs/a', tensorboard: false, onLine: () => undefined },
    { data: 'x', synthetic: true, limit: 100 },
    { workers: undefined, run: undefined },
    { set: { epochs: 1, 'optimizer.learningRate': 0.1, name: 'x', data: { augment: { flip: true } } } },
  ])('may be %j', (options) => {
    expect(check(options)).not.toThrow();
  });

  it.each<[unknown, string]>([
    [{ epochs: 1 }, 'unknown option epochs; did you mean set: { epochs: 1 }?'],
    [{ model: 'mlp' }, 'unknown option model; did you mean set: { model: "mlp" }?'],
    [{ learningRate: 0.1 }, "unknown option learningRate; did you mean set: { 'optimizer.learningRate': 0.1 }?"],
    [{ 'data.limit': 5 }, "unknown option data.limit; did you mean set: { 'data.limit': 5 }?"],
    [{ worker: 2 }, 'unknown option worker; did you mean workers?'],
    [{ tensorBoard: true }, 'unknown option tensorBoard; did you mean tensorboard?'],
    [{ frobnicate: 1 }, 'unknown option frobnicate'],
    [{ workers: '2' }, 'workers: expected a whole number from 1 to 1024, got "2"'],
    [{ workers: 0, limit: 1.5 }, 'limit: expected a whole number from 1 to 1000000, got 1.5; workers: expected'],
    [{ synthetic: 'yes' }, 'synthetic: expected true or false, got "yes"'],
    [{ onLine: 'log' }, 'onLine: expected a function, got "log"'],
    [{ set: 'epochs=1' }, 'set: expected keys and values, got "epochs=1"'],
    [{ set: { epochs: NaN } }, 'set.epochs: expected a number, text, true, false, list or section, got NaN'],
    [{ set: { epochs: undefined } }, 'set.epochs: expected a number, text, true, false, list or section, got nothing'],
    [{ run: '' }, 'run: expected text of 1 to 4096 characters, got ""'],
    [
      null,
      'options: expected keys and values (data, synthetic, limit, preset, set, workers, isa, run, tensorboard, onLine)',
    ],
    ['cluster-cnn3', 'options: expected keys and values'],
  ])('may not be %j', (options, problem) => {
    expect(check(options)).toThrow(TypeError);
    expect(check(options)).toThrow(`train: ${problem}`);
  });
});

it('loads no dataset with options that it does not know', () => {
  const check = (options: unknown) => () => checkOptions('loadDataset', z.strictObject(datasetFields), options);
  expect(check({ limits: 5 })).toThrow('loadDataset: unknown option limits; did you mean limit?');
  expect(check({ epochs: 5 })).toThrow(/^loadDataset: unknown option epochs$/);
  expect(check('data/')).toThrow(
    'loadDataset: options: expected keys and values (data, synthetic, limit), got "data/"',
  );
});

it('asks to wait for a dataset that is a promise', () => {
  expect(() => checkDataset('trainingImages', Promise.resolve({}))).toThrow(
    'trainingImages: expected a dataset, got a promise; write await loadDataset()',
  );
  expect(() => checkDataset('run.test', undefined)).toThrow(/^run.test: expected a dataset, got nothing; pass what/);
  expect(() => checkDataset('run.test', { imageShape: [], classes: [], train: {}, test: {} })).not.toThrow();
});

it('names an argument that is wrong', () => {
  const pictures = z.enum(['loss', 'confusion']);
  expect(() => checkArgument('run.picture', 'name', pictures, 'los')).toThrow(
    'run.picture: name: expected loss or confusion, got "los"',
  );
  expect(() => checkArgument('openRun', 'directory', z.string().min(1), 5)).toThrow(TypeError);
  expect(() => checkArgument('run.picture', 'name', pictures, 'loss')).not.toThrow();
});

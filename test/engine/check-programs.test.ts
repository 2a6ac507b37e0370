import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { describe, expect, it, vi } from 'vitest';
import { checkPrograms } from '../../engine/check-programs.js';
import type { ModelTopology } from '../../engine/engine.js';
import type { Layer } from '../../engine/model/layers.js';
import { layers as tfl, tf } from '../../engine/model/tfjs/tf.js';
import { thorough } from '../thorough.js';

const l = tfl.layers;
const imageShape = [8, 8, 2] as const;
const classes = 3;
const normalise = { mean: [0.5, 0.4], deviation: [0.2, 0.3] };

function check(...parts: Layer[]): Promise<readonly string[]> {
  const input = tfl.input({ shape: [...imageShape] });
  const outputs = parts.reduce((x, layer) => layer.apply(x) as SymbolicTensor, input);
  return checkTopology(tfl.model({ inputs: input, outputs }).toJSON(null, false) as unknown as ModelTopology);
}

function checkTopology(topology: ModelTopology): Promise<readonly string[]> {
  return checkPrograms({ topology, imageShape, classes, normalise });
}

const conv = (args: object = {}) => l.conv2d({ name: 'conv', filters: 4, kernelSize: 3, padding: 'same', ...args });
const flatten = () => l.flatten({ name: 'flatten' });
const logits = (args: object = {}) => l.dense({ name: 'logits', units: classes, ...args });
const rows = () => l.reshape({ name: 'rows', targetShape: [8, 16] });

describe('random numbers that are no input of the program are refused, with the layer', () => {
  const random: [string, () => Layer[], string][] = [
    ['dropout of an LSTM', () => [rows(), l.lstm({ name: 'rnn', units: 4, dropout: 0.5 }), logits()], 'rnn'],
    ['recurrent dropout of a GRU', () => [rows(), l.gru({ name: 'rnn', units: 4, recurrentDropout: 0.5 }), logits()], 'rnn'],
    ['dropout of a simple cell', () => [rows(), l.simpleRNN({ name: 'rnn', units: 4, dropout: 0.1 }), logits()], 'rnn'],
    [
      'dropout in both directions',
      () => [
        rows(),
        l.bidirectional({ name: 'both', layer: l.lstm({ units: 4, dropout: 0.5 }), mergeMode: 'concat' }),
        logits(),
      ],
      'both',
    ],
  ]; // prettier-ignore

  it.each(random)('%s', async (_, parts, layer) => {
    await expect(check(...parts())).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(
        new RegExp(`expected no random operations except Dropout layers, got random\\w+ in layer "${layer}"`),
      ) as string,
      context: { layer },
    });
  });

  it('accepts recurrent layers without dropout, and dropout of every step of a sequence', async () => {
    await expect(check(rows(), l.lstm({ name: 'rnn', units: 4 }), logits())).resolves.toEqual([]);
    const drop = l.timeDistributed({ name: 'each', layer: l.dropout({ name: 'drop', rate: 0.5 }) });
    await expect(check(rows(), drop, flatten(), logits())).resolves.toEqual([]);
  });

  it('rejects a program whose second compilation differs', async () => {
    const jitter = l.activation({ activation: 'linear' });
    const call = vi.spyOn(Object.getPrototypeOf(jitter) as Layer, 'call');
    call.mockImplementation((x) => tf.mul([x].flat()[0]!, Math.random()));
    try {
      await expect(check(flatten(), logits(), jitter)).rejects.toThrow(
        'expected the same training program from two compilations, got different ones',
      );
    } finally {
      call.mockRestore();
    }
  });
});

describe('an output without elements is refused, with the layer', () => {
  const empty: [string, () => Layer[]][] = [
    ['a kernel larger than the image', () => [conv({ name: 'big', kernelSize: 9, padding: 'valid' })]],
    ['one with holes', () => [conv({ name: 'big', kernelSize: 5, dilationRate: 2, padding: 'valid' })]],
    ['a depthwise kernel', () => [l.depthwiseConv2d({ name: 'big', kernelSize: 9 })]],
    ['a window larger than the image', () => [l.maxPooling2d({ name: 'big', poolSize: 9 })]],
    ['a window of averages', () => [l.averagePooling2d({ name: 'big', poolSize: [9, 2] })]],
    ['a kernel over rows', () => [rows(), l.conv1d({ name: 'big', filters: 2, kernelSize: 9 })]],
    ['cropping of everything', () => [l.cropping2D({ name: 'big', cropping: [[4, 4], [0, 0]] })]],
    ['a kernel in a model inside', () => [tfl.sequential({ name: 'inner', layers: [conv({ name: 'big', inputShape: [...imageShape], kernelSize: 9, padding: 'valid' })] })]],
  ]; // prettier-ignore

  it.each(empty)('%s', async (_, parts) => {
    await expect(check(...parts(), flatten(), logits())).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringContaining('in layer "big"; make its kernel, window or cropping smaller') as string,
      context: { layer: 'big' },
    });
  });

  it('reports both shapes', async () => {
    await expect(check(conv({ kernelSize: 9, padding: 'valid' }), flatten(), logits())).rejects.toThrow(
      'got [0, 0, 4] from [8, 8, 2]',
    );
  });
});

describe('the end of a model', () => {
  const softmax = (args: object = {}) => l.softmax({ name: 'end', axis: -1, ...args });
  const map = () => [conv({ filters: classes }), l.globalAveragePooling2d({ name: 'mean' })];
  const probabilities: [string, () => Layer[], string][] = [
    ['softmax', () => [flatten(), logits({ name: 'end', activation: 'softmax' })], 'softmax'],
    ['softmax, then another shape', () => [flatten(), logits(), softmax(), l.reshape({ targetShape: [1, 3] }), l.flatten({})], 'softmax'],
    ['softmax of a map, then flatten', () => [l.maxPooling2d({ poolSize: 8 }), conv({ name: 'end', filters: 3, activation: 'softmax' }), flatten()], 'softmax'],
    ['softmax, then dropout and a linear activation', () => [flatten(), logits(), softmax(), l.dropout({ rate: 0.5 }), l.activation({ activation: 'linear' })], 'softmax'],
    ['softmax, then permuted', () => [flatten(), logits(), softmax(), l.reshape({ targetShape: [1, 3] }), l.permute({ dims: [2, 1] }), l.flatten({})], 'softmax'],
    ['the mean of a softmax map', () => [conv({ filters: 3, activation: 'softmax' }), l.globalAveragePooling2d({ name: 'end' })], 'softmax'],
    ['sigmoid', () => [flatten(), logits({ name: 'end', activation: 'sigmoid' })], 'sigmoid'],
    ['sigmoid, then another shape', () => [...map(), l.activation({ name: 'end', activation: 'sigmoid' }), l.reshape({ targetShape: [3] })], 'sigmoid'],
    ['hard sigmoid', () => [flatten(), logits({ name: 'end', activation: 'hardSigmoid' })], 'values from 0 to 1'],
  ]; // prettier-ignore

  it.each(probabilities)('is refused where it is probabilities: %s', async (_, parts, got) => {
    await expect(check(...parts())).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: `compile: expected a model that ends in logits, because the loss applies softmax, got ${got} in layer "end"; remove the last activation`,
    });
  });

  it('is refused where models that end in softmax are averaged', async () => {
    const input = tfl.input({ shape: [...imageShape] });
    const member = (name: string) =>
      l.dense({ name, units: 3, activation: 'softmax' }).apply(l.flatten({}).apply(input)) as SymbolicTensor;
    const outputs = l.average({ name: 'end' }).apply([member('a'), member('b')]) as SymbolicTensor;
    const topology = tfl.model({ inputs: input, outputs }).toJSON(null, false) as unknown as ModelTopology;
    await expect(checkTopology(topology)).rejects.toThrow('got softmax in layer "end"');
  });

  it('is refused where it is one probability', async () => {
    await expect(check(flatten(), l.dense({ units: 1, activation: 'sigmoid' }))).rejects.toThrow(
      'and 3 logits out, got [8, 8, 2] in and [1] out; give the last layer 3 units and no activation',
    );
  });

  const limited: [string, string][] = [
    ['relu', 'values of at least 0'],
    ['relu6', 'values from 0 to 6'],
    ['tanh', 'values from -1 to 1'],
    ['softsign', 'softsign'],
    ['softplus', 'values of at least 0'],
    ['elu', 'values of at least -1'],
    ['selu', 'selu'],
    ['swish', 'swish'],
    ['gelu', 'gelu'],
    ['mish', 'mish'],
  ];
  it.each(limited)('is advised against where it is %s', async (activation, got) => {
    await expect(check(flatten(), logits({ name: 'end', activation }))).resolves.toEqual([
      `model: expected unbounded logits as output, got ${got} in layer "end"; the model may train worse; remove the last activation`,
    ]);
  });

  it.each(['linear', 'logSoftmax'])('is accepted where it is %s', async (activation) => {
    await expect(check(flatten(), logits({ activation }))).resolves.toEqual([]);
  });

  it('is accepted where softmax, sigmoid and ReLU come before the logits', async () => {
    const gates = [
      conv({ activation: 'relu' }),
      l.softmax({ axis: -1 }),
      conv({ name: 'gate', activation: 'sigmoid' }),
    ];
    await expect(check(...gates, flatten(), logits())).resolves.toEqual([]);
  });
});

describe('the start of a model', () => {
  it('is rejected where it scales the images once more', async () => {
    const scaled = [l.rescaling({ name: 'scale', scale: 1 / 255 }), flatten(), logits()];
    await expect(check(...scaled)).rejects.toMatchObject({
      message:
        "compile: expected images to be scaled only by the dataset's mean and deviation, got a Rescaling layer in " +
        'layer "scale"; remove the layer',
    });
    const turned = [l.permute({ dims: [2, 1, 3] }), l.rescaling({ name: 'scale', scale: 2, offset: -1 }), flatten()];
    await expect(check(...turned, logits())).rejects.toMatchObject({ context: { layer: 'scale' } });
  });

  it('may scale by 1, and scale what a layer has made of the images', async () => {
    await expect(check(l.rescaling({ scale: 1, offset: 0 }), flatten(), logits())).resolves.toEqual([]);
    await expect(check(conv(), l.rescaling({ scale: 0.1 }), flatten(), logits())).resolves.toEqual([]);
  });
});

it('rejects an inner model that declares another input than it is called with', async () => {
  const first = { name: 'all', batch_input_shape: [null, 4, 4, 2] };
  const inner = { name: 'inner', layers: [{ class_name: 'Flatten', config: first }] };
  const layers = [
    { class_name: 'Permute', config: { name: 'turn', dims: [2, 1, 3], batch_input_shape: [null, 8, 8, 2] } },
    { class_name: 'Sequential', config: inner },
    { class_name: 'Dense', config: { name: 'logits', units: classes } },
  ];
  await expect(checkTopology({ class_name: 'Sequential', config: { name: 'model', layers } })).rejects.toThrow(
    'expected inputs of the declared shape [4, 4, 2], got [8, 8, 2] in layer "inner"',
  );
});

it('refuses a batch norm over another axis than the last', async () => {
  await expect(check(conv(), l.batchNormalization({ name: 'norm', axis: 1 }), flatten(), logits())).rejects.toThrow(
    'expected a batch norm over the last axis, got axis 1 in layer "norm"; put a Permute layer before and after it',
  );
});

it('treats noise of deviation 0 as none', async () => {
  await expect(check(l.gaussianNoise({ stddev: 0 }), flatten(), logits())).resolves.toEqual([]);
});

it('refuses a batch norm in every step of a sequence, which would have many batch statistics', async () => {
  const each = l.timeDistributed({ name: 'each', layer: l.batchNormalization({ name: 'norm' }) });
  await expect(check(rows(), each, flatten(), logits())).rejects.toThrow(
    'expected calls to be one, as it has running statistics, got "one per time step"; layer "each/norm"',
  );
});

/** In `npm test`, deep enough for a recursion over layers to show. */
const depth = thorough ? 400 : 40;

describe(`${depth} layers in sequence`, () => {
  const deep: [string, (i: number, x: SymbolicTensor) => SymbolicTensor][] = [
    ['normalised', (i, x) => apply(l.batchNormalization({ name: `n${i}` }), apply(l.dense({ name: `d${i}`, units: 4 }), x))],
    ['residual', (i, x) => apply(l.add(), [x, apply(l.dense({ name: `d${i}`, units: 4, activation: 'relu' }), x)])],
  ]; // prettier-ignore

  it.each(deep)('can be compiled: %s', { timeout: 60_000 }, async (_, block) => {
    const input = tfl.input({ shape: [...imageShape] });
    let x = apply(l.dense({ name: 'first', units: 4 }), apply(flatten(), input));
    for (let i = 0; i < depth; i++) x = block(i, x);
    const topology = tfl.model({ inputs: input, outputs: apply(logits(), x) }).toJSON(null, false);
    await expect(checkTopology(topology as unknown as ModelTopology)).resolves.toEqual([]);
  });
});

function apply(layer: Layer, x: SymbolicTensor | SymbolicTensor[]): SymbolicTensor {
  return layer.apply(x) as SymbolicTensor;
}

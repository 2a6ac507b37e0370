import { describe, expect, it } from 'vitest';
import { describeModel, initialWeights } from '../../../engine/model/model.js';
import { builtinTopology } from '../../../job/models.js';
import { conv, dense, flatten, type LayerJson, sequential } from '../topologies.js';

describe('describeModel', () => {
  it('lays cnn3 out in model order, kernels, biases and batch norms block by block', async () => {
    const layout = await describeModel(builtinTopology('cnn3', [32, 32, 3], 10));
    expect(layout.parameterCount).toBe(137_430);
    expect(layout.parameters.slice(0, 5).map(({ name, shape, offset }) => [name, shape, offset])).toEqual([
      ['conv1/kernel', [7, 7, 3, 16], 0],
      ['conv1/bias', [16], 2352],
      ['norm1/gamma', [16], 2368],
      ['norm1/beta', [16], 2384],
      ['conv2/kernel', [5, 5, 16, 32], 2400],
    ]);
    expect(layout.stateCount).toBe(224);
    expect(layout.state.map(({ name, offset, momentum }) => [name, offset, momentum])).toEqual([
      ['norm1/moving_mean', 0, 0.9],
      ['norm1/moving_variance', 16, 0.9],
      ['norm2/moving_mean', 32, 0.9],
      ['norm2/moving_variance', 64, 0.9],
      ['norm3/moving_mean', 96, 0.9],
      ['norm3/moving_variance', 160, 0.9],
    ]);
  });

  it.each([
    ['cnn4', 160_342],
    ['resnet20', 272_474],
    ['mlp', 98_730],
  ])('counts the parameters of %s for CIFAR-10', async (name, count) => {
    expect((await describeModel(builtinTopology(name, [32, 32, 3], 10))).parameterCount).toBe(count);
  });

  it('gives the same names however often a model was loaded', async () => {
    const topology = builtinTopology('cnn4', [32, 32, 3], 10);
    expect(await describeModel(topology)).toEqual(await describeModel(topology));
  });

  const refused: [string, LayerJson, string][] = [
    [
      'dropout of everything',
      { class_name: 'Dropout', config: { name: 'drop', rate: 1 } },
      'expected rate a number from 0 to below 1, got 1; layer "drop" (Dropout)',
    ],
    [
      'a dilation that TF.js ignores',
      { class_name: 'DepthwiseConv2D', config: { name: 'deep', kernel_size: [3, 3], dilation_rate: [2, 2] } },
      'expected dilation_rate 1, got [2,2]; layer "deep" (DepthwiseConv2D)',
    ],
    [
      'noise',
      { class_name: 'GaussianNoise', config: { name: 'noise', stddev: 0.1 } },
      'expected stddev 0, got 0.1; layer "noise" (GaussianNoise)',
    ],
    ['a frozen layer', dense({ trainable: false }), 'expected trainable true, got false'],
    [
      'a regularizer',
      dense({ kernel_regularizer: { class_name: 'L1L2', config: { l2: 0.1 } } }),
      'expected kernel_regularizer null, got {"class_name":"L1L2"',
    ],
    [
      'a constraint',
      dense({ bias_constraint: { class_name: 'NonNeg', config: {} } }),
      'expected bias_constraint null, got {',
    ],
    ['an unknown layer', { class_name: 'Teleport', config: { name: 't' } }, 'got "Teleport"; layer "t"'],
  ];
  it.each(refused)('refuses %s', async (_, layer, message) => {
    await expect(describeModel(sequential([4, 4, 1], [flatten, layer]))).rejects.toThrow(message);
    await expect(describeModel(sequential([4, 4, 1], [flatten, layer]))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
    });
  });

  it('rejects anything but a topology', async () => {
    await expect(describeModel({ class_name: 'Sequential' })).rejects.toThrow('expected a TF.js Layers topology');
  });

  it('accepts dropout', async () => {
    const layers = [flatten, { class_name: 'Dropout', config: { name: 'drop', rate: 0.5 } }, dense({})];
    expect((await describeModel(sequential([4, 4, 1], layers))).parameterCount).toBe(16 * 3 + 3);
  });
});

describe('initialWeights', () => {
  const topology = builtinTopology('cnn3', [32, 32, 3], 10);

  it('gives the same values for the same seed, others for another', async () => {
    const [first, again, other] = [
      await initialWeights(topology, 1),
      await initialWeights(topology, 1),
      await initialWeights(topology, 2),
    ];
    expect(again).toEqual(first);
    expect(other.params).not.toEqual(first.params);
  });

  it('follows the initializers of the topology', async () => {
    const { params, state } = await initialWeights(topology, 1);
    const limit = Math.sqrt(6 / (49 * 3 + 49 * 16)); // Glorot uniform: fan in 7 · 7 · 3, fan out 7 · 7 · 16
    const kernel = params.subarray(0, 2352);
    const largest = kernel.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(largest).toBeGreaterThan(0.98 * limit);
    expect(largest).toBeLessThanOrEqual(limit);
    expect([...params.subarray(2352, 2368)]).toEqual(Array(16).fill(0)); // bias
    expect([...params.subarray(2368, 2384)]).toEqual(Array(16).fill(1)); // gamma
    expect([...state.subarray(0, 32)]).toEqual([...Array<number>(16).fill(0), ...Array<number>(16).fill(1)]);
  });

  it('gives layers of equal shape different values', async () => {
    const layers = [conv({ name: 'one', filters: 2 }), conv({ name: 'two', filters: 2 }), flatten, dense({})];
    const { params } = await initialWeights(sequential([4, 4, 2], layers), 1);
    expect([...params.subarray(0, 36)]).not.toEqual([...params.subarray(38, 74)]);
  });

  it('also derives seeds if the topology leaves the initializer out or gives only its name', async () => {
    for (const config of [{}, { kernel_initializer: 'glorotNormal' }]) {
      const model = sequential([4, 4, 1], [flatten, dense(config)]);
      expect(await initialWeights(model, 5)).toEqual(await initialWeights(model, 5));
    }
  });
});

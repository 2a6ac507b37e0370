import { describe, expect, it } from 'vitest';
import type { ModelTopology } from '../../../../engine/engine.js';
import { initialWeights } from '../../../../engine/model/model.js';
import { layerKinds } from '../../../../engine/model/topology/layer-table.js';
import { readTopology } from '../../../../engine/model/topology/read.js';
import { conv, dense, flatten, norm, sequential } from '../../topologies.js';
import { kerasLayers } from './keras-layers.js';

type Config = Readonly<Record<string, unknown>>;

const modelOf = (...layers: object[]): ModelTopology => ({
  class_name: 'Sequential',
  config: { name: 'model', layers },
});
const layerOf = (className: string, config: Config) => ({
  class_name: className,
  config: { name: 'layer', ...config },
});
const kerasConfig = (className: string) => kerasLayers.find(([name]) => name === className)![1];

/** Rejection of a model of one layer, as Keras writes it except for `changed` keys; undefined if it is accepted. */
function refusalOf(className: string, changed: Config): string | undefined {
  try {
    readTopology(modelOf(layerOf(className, { ...kerasConfig(className), ...changed })));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a layer as Keras 2 writes it', () => {
  it.each(kerasLayers)('%s is accepted', (className) => {
    expect(refusalOf(className, {})).toBeUndefined();
  });

  it('is known for every class of the table, cells and models apart', () => {
    const table = Object.entries(layerKinds).flatMap(([kind, rules]) => (kind === 'models' ? [] : Object.keys(rules)));
    const cells = table.filter((name) => name.endsWith('Cell') || name.endsWith('Cells'));
    expect([...kerasLayers.map(([name]) => name), ...cells].sort()).toEqual(table.sort());
  });

  it.each(kerasLayers)('%s is refused with a key that is not its own', (className) => {
    expect(refusalOf(className, { colour: null })).toMatch(
      `expected colour to be absent, as it is not supported, got null; layer "layer" (${className}); remove it`,
    );
  });

  it('may have its number type as a policy', () => {
    const policy = { module: 'keras.mixed_precision', class_name: 'Policy', config: { name: 'float32' } };
    expect(refusalOf('Dense', { dtype: policy })).toBeUndefined();
  });
});

describe('an unsupported value', () => {
  const settings = { seed: 3 };
  const refused: [string, Config, string][] = [
    ['Conv2D', { groups: 2 }, 'expected groups 1, got 2'],
    ['Conv2D', { trainable: null }, 'expected trainable true, got null'],
    ['Conv2D', { dtype: 'float16' }, 'expected dtype "float32", got "float16"'],
    ['Conv2D', { dtype: { class_name: 'policy', config: { name: 'float32' } } }, 'expected dtype "float32", got {'],
    ['Conv2D', { use_bias: null }, 'expected use_bias true or false, got null'],
    ['Conv2D', { padding: 'causal' }, 'expected padding "valid" or "same", got "causal"'],
    ['Conv2D', { dilation_rate: 2, strides: 2 }, 'expected strides 1 with dilation, got 2'],
    ['Conv2D', { activation: layerOf('LeakyReLU', { alpha: 0.1 }) }, 'expected activation the name of an activation'],
    ['Conv2D', { activation: 'exponential' }, 'got "exponential"'],
    ['Conv2D', { kernel_initializer: 'zero_one' }, 'expected kernel_initializer an initializer, got "zero_one"'],
    ['Conv2D', { kernel_initializer: { class_name: 'HeNormal', config: settings } }, 'kernel_initializer.seed null, got 3'],
    ['Conv2D', { kernel_initializer: { class_name: 'HeNormal', config: { gain: 1 } } }, 'kernel_initializer.gain to be'],
    ['Conv2D', { bias_regularizer: 'l2' }, 'expected bias_regularizer null, got "l2"'],
    ['DepthwiseConv2D', { dilation_rate: [2, 2] }, 'expected dilation_rate 1, got [2,2]'],
    ['SeparableConv2D', { pointwise_initializer: 'zeros' }, 'pointwise_initializer equal to depthwise_initializer'],
    ['Conv2DTranspose', { output_padding: [1, 1] }, 'expected output_padding null, got [1,1]'],
    ['Conv2DTranspose', { dilation_rate: 2 }, 'expected dilation_rate 1, got 2'],
    ['Conv1D', { data_format: 'channels_first' }, 'expected data_format "channels_last"'],
    ['MaxPooling1D', { data_format: 'channels_first' }, 'expected data_format "channels_last"'],
    ['GlobalMaxPooling2D', { keepdims: true }, 'expected keepdims false, got true'],
    ['BatchNormalization', { renorm: true }, 'expected renorm false, got true'],
    ['BatchNormalization', { synchronized: true }, 'expected synchronized false, got true'],
    ['BatchNormalization', { axis: [1, 2] }, 'expected axis -1 or a positive integer, got [1,2]'],
    ['Dropout', { seed: 3 }, 'expected seed null, got 3; layer "layer" (Dropout); remove it: all random numbers'],
    ['Dropout', { rate: 1 }, 'expected rate a number from 0 to below 1, got 1'],
    ['SpatialDropout1D', { noise_shape: [1, 1, 1] }, 'expected noise_shape null'],
    ['ReLU', { negative_slope: 0.2 }, 'expected negative_slope 0, got 0.2; layer "layer" (ReLU); use LeakyReLU'],
    ['ReLU', { threshold: 1 }, 'expected threshold 0, got 1'],
    ['LeakyReLU', { negative_slope: 0.01 }, 'expected negative_slope to be absent'],
    ['ELU', { alpha: 0.5 }, 'expected alpha 1, got 0.5'],
    ['Concatenate', { axis: -2 }, 'expected axis -1 or a positive integer, got -2'],
    ['Dot', { normalize: true }, 'expected normalize false, got true'],
    ['UpSampling2D', { interpolation: 'bilinear' }, 'expected interpolation "nearest", got "bilinear"'],
    ['SimpleRNN', { activation: null }, 'expected activation the name of an activation, got null'],
    ['GRU', { reset_after: true }, 'expected reset_after false, got true'],
    ['LSTM', { stateful: true }, 'expected stateful false, got true'],
    ['LSTM', { time_major: true }, 'expected time_major false, got true'],
    ['Bidirectional', { backward_layer: layerOf('LSTM', {}) }, 'expected backward_layer null'],
    ['Bidirectional', { merge_mode: null }, 'expected merge_mode "concat" or "sum"'],
    ['InputLayer', { sparse: true }, 'expected sparse false, got true'],
    ['InputLayer', { ragged: true }, 'expected ragged false, got true'],
  ]; // prettier-ignore
  it.each(refused)('of %s is refused: %j', (className, changed, message) => {
    expect(refusalOf(className, changed)).toContain(message);
  });

  it.each(['units', 'name'])('is rejected where %s is missing', (key) => {
    const config = { name: 'd', units: 3, [key]: undefined };
    const model = JSON.parse(JSON.stringify(modelOf({ class_name: 'Dense', config }))) as ModelTopology;
    expect(() => readTopology(model)).toThrow(`expected ${key} to be a`);
  });

  it('is refused with all others of the model, the first ten by name', () => {
    const layers = [1, 2, 3].map((n) => conv({ name: `conv${n}`, groups: n, renorm: true }));
    expect(() => readTopology(modelOf(...layers))).toThrow(
      /^check model: 5 problems\n {2}expected renorm to be absent.*layer "conv1".*\n {2}expected groups 1, got 2.*\n/,
    );
    const many = Array.from({ length: 12 }, (_, n) => conv({ name: `conv${n}`, groups: 2 }));
    expect(() => readTopology(modelOf(...many))).toThrow(/"conv9" \(Conv2D\); .*\n {2}and 2 more$/);
  });

  it('suggests the key that is probably meant', () => {
    expect(refusalOf('Dense', { unit: 3 })).toContain('remove it, or correct it to units');
  });
});

describe('a class', () => {
  it.each([
    ['Teleport', 'use the layers that docs/reference/layers.md lists'],
    ['Masking', 'masks of time steps are not supported'],
    ['TFOpLambda', 'use a layer instead of an operation'],
    ['relu', 'use the layers'],
    ['constructor', 'use the layers'],
  ])('%s is refused by name', (className, remedy) => {
    const message = `expected class_name to be a supported layer, got "${className}"; layer "x"`;
    const model = modelOf({ class_name: className, config: { name: 'x' } });
    expect(() => readTopology(model)).toThrow(message);
    expect(() => readTopology(model)).toThrow(remedy);
  });

  it('defined by the user is rejected even if it has the name of a Keras class', () => {
    const own = { ...dense({}), module: 'nets', registered_name: 'nets>Dense' };
    expect(() => readTopology(modelOf(own))).toThrow(
      'expected module to be a module of Keras, got "nets"; layer "dense"',
    );
  });
});

describe('layers inside others', () => {
  const nested = (inner: object) => modelOf({ class_name: 'Sequential', config: { name: 'base', layers: [inner] } });

  it('are checked, and named with what holds them', () => {
    expect(() => readTopology(nested(conv({ groups: 2 })))).toThrow('layer "base/conv" (Conv2D)');
    const wrapped = layerOf('TimeDistributed', { layer: conv({ groups: 2 }) });
    expect(() => readTopology(modelOf(wrapped))).toThrow('layer "layer/conv" (Conv2D)');
    const cell = layerOf('RNN', { cell: { class_name: 'GRUCell', config: { name: 'gru', units: 2 } } });
    expect(() => readTopology(modelOf(cell))).toThrow(
      'expected reset_after to be false, got nothing; layer "layer/gru"',
    );
  });

  it('with running statistics are rejected where they are called for each time step', () => {
    expect(() => readTopology(modelOf(layerOf('TimeDistributed', { layer: norm })))).toThrow(
      'expected calls to be one, as it has running statistics, got "one per time step"; layer "layer/norm"',
    );
  });

  it('are refused when two have the same name, or are one layer in two models', () => {
    expect(() => readTopology(modelOf(dense({}), dense({})))).toThrow(
      'expected name different from those of earlier layers',
    );
    const shared = (name: string) => ({ ...dense({ name }), shared_object_id: 4 });
    expect(() => readTopology(modelOf(shared('a'), shared('b')))).toThrow('expected shared_object_id that no other');
  });
});

describe('spelling', () => {
  const pythonic = sequential(
    [4, 4, 2],
    [conv({ use_bias: false, kernel_initializer: 'he_normal' }), flatten, dense({})],
  );
  const camel = sequential(
    [4, 4, 2],
    [
      { class_name: 'Conv2D', config: { name: 'conv', filters: 4, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer: 'heNormal' } },
      flatten,
      dense({ useBias: true }),
    ],
  ); // prettier-ignore

  it('in camel case says the same, down to the initial weights', async () => {
    expect(await initialWeights(camel, 3)).toEqual(await initialWeights(pythonic, 3));
  });

  it('in both cases at once is refused', () => {
    expect(() => readTopology(modelOf(dense({ use_bias: true, useBias: false })))).toThrow(
      'expected useBias to be absent',
    );
  });
});

describe('initial weights', () => {
  const of = async (config: Config) =>
    (await initialWeights(sequential([4, 4, 1], [flatten, dense(config)]), 5)).params;

  it.each(['lecun_normal', 'leCunNormal', 'LecunNormal', { class_name: 'LecunNormal', config: { seed: null } }])(
    'are drawn by %j, as Keras and TF.js spell it',
    async (initializer) => {
      const expected = await of({ kernel_initializer: { class_name: 'LeCunNormal', config: {} } });
      expect(await of({ kernel_initializer: initializer })).toEqual(expected);
    },
  );

  it('are normal where TF.js would take a truncated normal for uniform', async () => {
    const scaling = (distribution: string) =>
      of({ kernel_initializer: { class_name: 'VarianceScaling', config: { distribution } } });
    expect(await scaling('truncated_normal')).toEqual(await scaling('normal'));
  });

  it('may have a bound of 0, which TF.js would take for its default', async () => {
    const kernel = await of({ kernel_initializer: { class_name: 'RandomUniform', config: { minval: 0, maxval: 1 } } });
    const values = [...kernel.subarray(0, 48)];
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeGreaterThan(0.9);
  });

  it('of separable convolutions do not depend on the kernel that they lack', async () => {
    const separable = (config: Config) => ({
      class_name: 'SeparableConv2D',
      config: { name: 'sep', filters: 3, kernel_size: 3, depth_multiplier: 2, ...config },
    });
    const unused = { kernel_initializer: 'ones', kernel_regularizer: null, kernel_constraint: null };
    const [plain, full] = [{}, unused].map((config) => initialWeights(sequential([6, 6, 2], [separable(config)]), 3));
    expect((await plain!).params.length).toBe(3 * 3 * 2 * 2 + 4 * 3 + 3);
    expect(await full).toEqual(await plain);
  });

  it('of an LSTM open its forget gate, as in Keras, even if the file does not say so', async () => {
    const lstm = { class_name: 'LSTM', config: { name: 'lstm', units: 2, recurrent_initializer: 'zeros' } };
    const { params } = await initialWeights(sequential([4, 3], [lstm]), 1);
    expect([...params.subarray(-8)]).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  });
});

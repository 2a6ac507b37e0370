import { absent, commonKeys, layer, type LayerRules, weightKeys } from './layer-rules.js';
import { flag, isCount, isList, none, number, oneOf, only, orNull, positive, rule } from './rules.js';
import { activationOrNull, initializer, seed, shape } from './value-rules.js';

/** Dense layers, normalisation, dropout, activations and rescaling. */

const units = rule('read', 'a positive integer', isCount);

export const denseRules: Readonly<Record<string, LayerRules>> = {
  Dense: layer({
    units: { ...units, required: true },
    activation: activationOrNull,
    use_bias: flag,
    ...weightKeys({ kernel: initializer('GlorotNormal'), bias: initializer('Zeros') }),
  }),
};

const isAxis = (value: unknown) => value === -1 || isCount(value);
const batchAxis = rule('read', '-1 or a positive integer', (value) => isAxis(value) || isList(value, isAxis, 1));
const isAnyAxis = (value: unknown) => Number.isInteger(value) && value !== 0;
const anyAxes = rule('read', 'an axis, or a list', (value) => isAnyAxis(value) || isList(value, isAnyAxis));
const scaleAndShift = {
  center: flag,
  scale: flag,
  epsilon: positive,
  ...weightKeys({ beta: initializer('Zeros'), gamma: initializer('Ones') }),
};
const share = rule('read', 'a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1);

export const normRules: Readonly<Record<string, LayerRules>> = {
  BatchNormalization: layer({
    axis: batchAxis,
    momentum: share,
    ...scaleAndShift,
    moving_mean_initializer: initializer('Zeros'),
    moving_variance_initializer: initializer('Ones'),
    renorm: only(false, 'set it to false'),
    synchronized: only(false, 'set it to false: statistics are those of one shard'),
    virtual_batch_size: none('remove it'),
  }),
  LayerNormalization: layer({ axis: anyAxes, ...scaleAndShift }),
};

const rate = { ...number(0, 1), required: true } as const;
const isNoiseSize = (value: unknown) => value === null || isCount(value);
const noiseShape = rule('read', 'a list of positive integers or null', (value) => isList(value, isNoiseSize));

export const dropoutRules: Readonly<Record<string, LayerRules>> = {
  Dropout: layer({ rate, noise_shape: orNull(noiseShape), seed }),
  SpatialDropout1D: layer({ rate, noise_shape: absent, seed }),
  GaussianNoise: layer({ stddev: only(0, 'remove the layer: only Dropout is random'), seed }),
  GaussianDropout: layer({ rate: only(0, 'use Dropout'), seed }),
  AlphaDropout: layer({ rate: only(0, 'use Dropout'), noise_shape: absent, seed }),
};

const slope = number(-Infinity);

export const activationRules: Readonly<Record<string, LayerRules>> = {
  Activation: layer({ activation: { ...activationOrNull, required: true } }),
  ReLU: layer({
    max_value: orNull(number(0)),
    negative_slope: only(0, 'use LeakyReLU with alpha'),
    threshold: only(0, 'use ThresholdedReLU with theta'),
  }),
  LeakyReLU: layer({ alpha: slope }),
  PReLU: layer({
    ...weightKeys({ alpha: initializer('Zeros') }),
    shared_axes: orNull(rule('read', 'an axis, or a list', (value) => isCount(value) || isList(value, isCount))),
  }),
  ELU: layer({ alpha: only(1, 'set it to 1') }),
  ThresholdedReLU: layer({ theta: number(0) }),
  Softmax: layer({ axis: { ...anyAxes, absent: -1 } }),
};

export const otherRules: Readonly<Record<string, LayerRules>> = {
  // Only some of the common keys: Keras rejects the others here.
  InputLayer: {
    keys: {
      name: commonKeys['name']!,
      dtype: oneOf('float32'),
      batch_input_shape: shape,
      input_shape: shape,
      batch_size: absent,
      sparse: only(false, 'set it to false'),
      ragged: only(false, 'set it to false'),
      optional: only(false, 'set it to false'),
    },
  },
  Rescaling: layer({ scale: { ...slope, required: true }, offset: slope }),
};

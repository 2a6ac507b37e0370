import type { Dice } from './dice.js';
import { activations } from './pieces.js';

/** Values for the keys of layers: legal, illegal, and legal only for other layers. */

const flag = [true, false];
const pair = [1, 2, 3, [1, 1], [2, 2], [1, 2], [2], 0, -1, [9, 9], '2', null];
const activation = [...activations, null, 'relu', 'Relu', 'leaky_relu', 'silu', 'exponential', 'hardSigmoid', 'unknown', { class_name: 'ReLU', config: { max_value: 1 } }]; // prettier-ignore
const initializer = [
  'zeros',
  'glorot_uniform',
  ...['Zeros', 'Ones', 'GlorotUniform', 'GlorotNormal', 'HeNormal', 'HeUniform', 'LecunNormal', 'LecunUniform', 'Orthogonal', 'Identity', 'Custom'].map((name) => ({ class_name: name, config: {} })), // prettier-ignore
  { class_name: 'Constant', config: { value: 0.3 } },
  { class_name: 'Constant', config: {} },
  { class_name: 'RandomNormal', config: { mean: 0.5, stddev: 0.1, seed: null } },
  { class_name: 'RandomUniform', config: { minval: -0.2, maxval: 0.4 } },
  { class_name: 'TruncatedNormal', config: { mean: 0, stddev: 0.2, seed: 7 } },
  { class_name: 'VarianceScaling', config: { scale: 2, mode: 'fan_out', distribution: 'uniform' } },
  { class_name: 'VarianceScaling', config: { scale: 2, mode: 'fan_in', distribution: 'untruncated_normal' } },
  { class_name: 'Orthogonal', config: { gain: 2 } },
  { module: 'keras.initializers', class_name: 'HeNormal', config: { seed: null }, registered_name: null },
  null,
];
const regularizer = [null, { class_name: 'L2', config: { l2: 0.1 } }, { class_name: 'L1L2', config: { l1: 0, l2: 0 } }, 'l2']; // prettier-ignore
const constraint = [null, { class_name: 'MaxNorm', config: { max_value: 1, axis: 0 } }, { class_name: 'NonNeg', config: {} }]; // prettier-ignore
const number = [0, 0.1, 0.3, 1, 2, -0.5, 1e-7, null, '0.1'];
const axis = [-1, 1, 2, 3, [1], [3], [1, 2], [1, 2, 3], [-1], 0, -2, 7, null];
const dtype = ['float32', 'float16', 'float64', 'bfloat16', 'int32', 'mixed_float16', null, { class_name: 'Policy', config: { name: 'mixed_float16' } }, { class_name: 'Policy', config: { name: 'float32' } }, { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null }]; // prettier-ignore

const values: Readonly<Record<string, readonly unknown[]>> = {
  activation,
  recurrent_activation: activation,
  alpha: [0, 0.1, 0.3, 1, [0.1], null],
  negative_slope: [0, 0.1, 0.3, null],
  threshold: [0, 0.5, -0.5, null],
  theta: [1, 0.5],
  max_value: [null, 6, 1.5, 0.5, 0, -1],
  axis,
  shared_axes: [null, [1], [1, 2], [1, 2, 3], [2], 1, []],
  momentum: [0.99, 0.9, 0, 1, 1.5, null],
  epsilon: [1e-3, 1e-5, 0.1, 1e-7, 0, null],
  rate: [0, 0.1, 0.3, 0.5, 0.9, 1, 1.5, -0.1, null, '0.5'],
  stddev: [0, 0.1],
  noise_shape: [null, [null, 1, 1, null], [null, 1], [null, 1, null], [5, 1, 1, 1], [1, 1, 1, 1], []],
  seed: [null, 1, 42],
  units: [1, 2, 3, 0, -1, 2.5, '3', null],
  filters: [1, 2, 3, 4, 0, -1, 1.5, '4', null],
  groups: [1, 2, 4, 3, 0, null],
  depth_multiplier: [1, 2, 3, 0],
  kernel_size: pair,
  pool_size: pair,
  strides: pair,
  dilation_rate: [1, 2, 3, [1, 1], [2, 2], [1, 2], [2], 0],
  output_padding: [null, 0, 1, [0, 0], [1, 1], [0, 1]],
  size: [2, [2, 2], [1, 2]],
  padding: [
    'same',
    'valid',
    'causal',
    'SAME',
    'full',
    1,
    [1, 1],
    [
      [1, 1],
      [0, 2],
    ],
    [
      [0, 0],
      [0, 0],
    ],
    null,
  ],
  cropping: [
    0,
    1,
    [1, 1],
    [
      [1, 0],
      [0, 1],
    ],
    [
      [0, 0],
      [0, 0],
    ],
    9,
    null,
  ],
  data_format: ['channels_last', 'channels_first', 'channelsLast', 'NHWC', null],
  interpolation: ['nearest', 'bilinear'],
  dims: [
    [1, 2, 3],
    [3, 1, 2],
    [2, 1],
    [1, 2],
    [2, 1, 3],
    [0, 1, 2],
  ],
  target_shape: [[-1], [-1, 4], [-1, 2], [8, 16], [4, -1], [128], [7, 7]],
  n: [1, 2, 3, 0, '2'],
  keepdims: flag,
  use_bias: [true, false, null, 0],
  center: flag,
  scale: [true, false, 0.5],
  trainable: [true, true, false, null],
  dtype,
  name: ['renamed', 'a/b', 'a b', '', null, 3],
  batch_input_shape: [[null, 8, 8, 2], [5, 8, 8, 2], [null, 4, 4, 2], [null, null, null, 2], null],
  batch_size: [null, 5],
  input_shape: [[8, 8, 2], null],
  batch_shape: [[null, 8, 8, 2]],
  input_dim: [2, null],
  input_length: [null, 3],
  sparse: flag,
  ragged: flag,
  optional: flag,
  synchronized: flag,
  renorm: flag,
  renorm_clipping: [null, { rmax: 1 }],
  renorm_momentum: [0.99, 0.5],
  fused: [null, true, false],
  virtual_batch_size: [null, 5],
  mask_value: [0, 1],
  return_sequences: flag,
  return_state: [false, false, true],
  go_backwards: flag,
  stateful: flag,
  unroll: flag,
  time_major: flag,
  zero_output_for_mask: flag,
  unit_forget_bias: flag,
  reset_after: flag,
  implementation: [0, 1, 2],
  dropout: [0, 0.3],
  recurrent_dropout: [0, 0.3],
  use_cudnn: ['auto', true],
  merge_mode: ['concat', 'sum', 'mul', 'ave', null, 'max'],
  approximate: flag,
  autocast: flag,
  lora_rank: [null, 2],
  quantization_config: [null],
  rms_scaling: flag,
  supports_masking: flag,
  factor: number,
  offset: number,
  mean: number,
  variance: number,
  value_range: [[0, 255]],
  arguments: [{}, { a: 1 }],
};
const anything = [null, true, false, 0, 1, 2, -1, 0.5, 'x', [1], {}];

/** Keys of any layer of Keras 2 or 3. */
export const foreignKeys = [
  ...Object.keys(values).filter((key) => key !== 'name'),
  ...['kernel', 'bias', 'depthwise', 'pointwise', 'gamma', 'beta', 'alpha', 'recurrent'].flatMap((weight) =>
    ['initializer', 'regularizer', 'constraint'].map((kind) => `${weight}_${kind}`),
  ),
  'activity_regularizer',
];

/** A value for a key; two out of three are legal for some layer. */
export function valueFor(dice: Dice, key: string): unknown {
  if (key.endsWith('_initializer')) return dice.pick(initializer);
  if (key.endsWith('_regularizer')) return dice.pick(regularizer);
  if (key.endsWith('_constraint')) return dice.pick(constraint);
  return dice.pick(values[key] ?? anything);
}

/** Layers written by Keras 2.21 (tf_keras) with every default: class, then configuration without its name. */

type Config = Readonly<Record<string, unknown>>;

const object = (className: string, config: Config = {}) => ({
  module: 'keras.initializers',
  class_name: className,
  config,
  registered_name: null,
});
const initial = {
  kernel: object('GlorotUniform', { seed: null }),
  depthwise: object('GlorotUniform', { seed: null }),
  pointwise: object('GlorotUniform', { seed: null }),
  recurrent: object('Orthogonal', { gain: 1, seed: null }),
  bias: object('Zeros'),
  alpha: object('Zeros'),
  beta: object('Zeros'),
  gamma: object('Ones'),
};

function weights(...names: (keyof typeof initial)[]): Config {
  const entries = names.flatMap((name) => [
    [`${name}_initializer`, initial[name]],
    [`${name}_regularizer`, null],
    [`${name}_constraint`, null],
  ]);
  return Object.fromEntries(entries) as Config;
}

function convolution(rank: number): Config {
  const ones = Array<number>(rank).fill(1);
  const window = { kernel_size: Array<number>(rank).fill(3), strides: ones, padding: 'valid', dilation_rate: ones };
  const rest = { data_format: 'channels_last', groups: 1, activation: 'linear', use_bias: true };
  return { ...window, ...rest, ...weights('bias'), activity_regularizer: null };
}

function pool(rank: number): Config {
  const two = Array<number>(rank).fill(2);
  return { pool_size: two, padding: 'valid', strides: two, data_format: 'channels_last' };
}

const globalPool = { data_format: 'channels_last', keepdims: false };
const cell = {
  units: 3,
  activation: 'tanh',
  use_bias: true,
  ...weights('kernel', 'recurrent', 'bias'),
  dropout: 0,
  recurrent_dropout: 0,
};
const lstmCell = { ...cell, recurrent_activation: 'sigmoid', unit_forget_bias: true, implementation: 2 };
const sequence = {
  return_sequences: false,
  return_state: false,
  go_backwards: false,
  stateful: false,
  unroll: false,
  time_major: false,
  activity_regularizer: null,
};
const common = { trainable: true, dtype: 'float32' };
const inner = (className: string, config: Config) => ({
  module: 'keras.layers',
  class_name: className,
  config: { name: 'inner', ...common, ...config },
  registered_name: null,
});
const scaleAndShift = { epsilon: 0.001, center: true, scale: true, ...weights('beta', 'gamma') };

export const kerasLayers: readonly (readonly [string, Config])[] = (
  [
    ['Dense', { units: 3, activation: 'linear', use_bias: true, ...weights('kernel', 'bias'), activity_regularizer: null }],
    ['Conv2D', { filters: 3, ...convolution(2), ...weights('kernel') }],
    ['DepthwiseConv2D', { ...convolution(2), depth_multiplier: 1, ...weights('depthwise') }],
    ['SeparableConv2D', { filters: 3, ...convolution(2), depth_multiplier: 1, ...weights('kernel', 'depthwise', 'pointwise') }],
    ['Conv2DTranspose', { filters: 3, ...convolution(2), ...weights('kernel'), output_padding: null }],
    ['Conv1D', { filters: 3, ...convolution(1), ...weights('kernel') }],
    ['MaxPooling2D', pool(2)],
    ['AveragePooling2D', pool(2)],
    ['MaxPooling1D', pool(1)],
    ['AveragePooling1D', pool(1)],
    ['GlobalAveragePooling2D', globalPool],
    ['GlobalMaxPooling2D', globalPool],
    ['GlobalAveragePooling1D', globalPool],
    ['GlobalMaxPooling1D', globalPool],
    ['BatchNormalization', { axis: [3], momentum: 0.99, ...scaleAndShift, moving_mean_initializer: object('Zeros'), moving_variance_initializer: object('Ones') }],
    ['LayerNormalization', { axis: -1, ...scaleAndShift }],
    ['Dropout', { rate: 0.1, noise_shape: null, seed: null }],
    ['SpatialDropout1D', { rate: 0.1, noise_shape: null, seed: null }],
    ['GaussianNoise', { stddev: 0, seed: null }],
    ['GaussianDropout', { rate: 0, seed: null }],
    ['AlphaDropout', { rate: 0, seed: null }],
    ['Flatten', { data_format: 'channels_last' }],
    ['Reshape', { target_shape: [-1, 3] }],
    ['Permute', { dims: [2, 1] }],
    ['RepeatVector', { n: 2 }],
    ['ZeroPadding2D', { padding: [[1, 1], [1, 1]], data_format: 'channels_last' }],
    ['Cropping2D', { cropping: [[0, 0], [0, 0]], data_format: 'channels_last' }],
    ['UpSampling2D', { size: [2, 2], data_format: 'channels_last', interpolation: 'nearest' }],
    ['Add', {}],
    ['Multiply', {}],
    ['Average', {}],
    ['Maximum', {}],
    ['Minimum', {}],
    ['Concatenate', { axis: -1 }],
    ['Dot', { axes: -1, normalize: false }],
    ['Activation', { activation: 'relu' }],
    ['ReLU', { max_value: null, negative_slope: 0, threshold: 0 }],
    ['LeakyReLU', { alpha: 0.30000001192092896 }],
    ['PReLU', { ...weights('alpha'), shared_axes: null }],
    ['ELU', { alpha: 1 }],
    ['ThresholdedReLU', { theta: 1 }],
    ['Softmax', { axis: -1 }],
    ['Rescaling', { scale: 2, offset: 0 }],
    ['SimpleRNN', { ...sequence, ...cell }],
    ['GRU', { ...sequence, ...cell, recurrent_activation: 'sigmoid', implementation: 2, reset_after: false }],
    ['LSTM', { ...sequence, ...lstmCell }],
    ['ConvLSTM2D', { ...sequence, ...convolution(2), filters: 3, ...cell, recurrent_activation: 'hard_sigmoid', unit_forget_bias: true, groups: undefined, units: undefined }],
    ['RNN', { ...sequence, cell: inner('LSTMCell', lstmCell) }],
    ['Bidirectional', { layer: inner('LSTM', { ...sequence, ...lstmCell }), merge_mode: 'concat' }],
    ['TimeDistributed', { layer: inner('Dense', { units: 3 }) }],
    ['InputLayer', { trainable: undefined, batch_input_shape: [null, 4], sparse: false, ragged: false, optional: false }],
  ] as [string, Config][]
).map(([className, config]) => [
  className,
  JSON.parse(JSON.stringify({ ...common, ...config })) as Config,
]); // prettier-ignore

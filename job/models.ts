import type { ModelTopology } from '../engine/engine.js';
import { JobError } from './errors.js';

/** One convolution block: filters and the side of the square kernel. */
interface Block {
  readonly filters: number;
  readonly kernel: number;
}

const cnn3: readonly Block[] = [
  { filters: 16, kernel: 7 },
  { filters: 32, kernel: 5 },
  { filters: 64, kernel: 3 },
];
/** The lecture does not say what its fourth convolution is; this one goes on as the third does. */
const cnn4: readonly Block[] = [...cnn3, { filters: 128, kernel: 3 }];

const models = { cnn3, cnn4 } as const;
export const modelNames = Object.keys(models) as readonly (keyof typeof models)[];

/**
 * TF.js Layers topology of a built-in model, from images `[H, W, C]` to logits `[classes]`.
 *
 * Each block is convolution (padding same), batch norm, ReLU and 2×2 max pooling; then 100 ReLU units and the logits.
 * Written by hand, so that reading a job needs no TF.js.
 * @throws JobError UNKNOWN_MODEL
 */
export function builtinTopology(
  name: string,
  imageShape: readonly [number, number, number],
  classes: number,
): ModelTopology {
  if (!isModelName(name)) {
    throw new JobError(
      'UNKNOWN_MODEL',
      `model: expected one of ${modelNames.join(', ')}, got ${JSON.stringify(name)}; correct model in the spec`,
    );
  }
  const [first, ...rest] = [
    ...models[name].flatMap(convolutionBlock),
    layer('Flatten', 'flatten', {}),
    dense('dense1', 100, 'relu'),
    dense('logits', classes, 'linear'),
  ] as const;
  const layers = [withInput(first, imageShape), ...rest];
  return { class_name: 'Sequential', config: { name, layers }, keras_version: '2.15.0', backend: 'tensorflow' };
}

export function isModelName(name: string): name is keyof typeof models {
  return Object.hasOwn(models, name);
}

interface Layer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

function layer(className: string, name: string, config: Readonly<Record<string, unknown>>): Layer {
  return { class_name: className, config: { name, trainable: true, ...config } };
}

function withInput(first: Layer, imageShape: readonly number[]): Layer {
  const input = { batch_input_shape: [null, ...imageShape], dtype: 'float32' };
  return { class_name: first.class_name, config: { ...first.config, ...input } };
}

/** Glorot & Bengio 2010, the uniform form, which is Keras's default (TF.js's own default for dense layers differs). */
const glorotUniform = {
  class_name: 'VarianceScaling',
  config: { scale: 1, mode: 'fan_avg', distribution: 'uniform', seed: null },
};
const zeros = { class_name: 'Zeros', config: {} };
const ones = { class_name: 'Ones', config: {} };

function convolutionBlock({ filters, kernel }: Block, index: number): Layer[] {
  const number = index + 1;
  return [
    layer('Conv2D', `conv${number}`, {
      filters,
      kernel_size: [kernel, kernel],
      strides: [1, 1],
      padding: 'same',
      data_format: 'channels_last',
      dilation_rate: [1, 1],
      activation: 'linear',
      use_bias: true,
      kernel_initializer: glorotUniform,
      bias_initializer: zeros,
    }),
    layer('BatchNormalization', `norm${number}`, {
      axis: -1,
      momentum: 0.9,
      epsilon: 1e-5,
      center: true,
      scale: true,
      beta_initializer: zeros,
      gamma_initializer: ones,
      moving_mean_initializer: zeros,
      moving_variance_initializer: ones,
    }),
    layer('Activation', `relu${number}`, { activation: 'relu' }),
    layer('MaxPooling2D', `pool${number}`, {
      pool_size: [2, 2],
      strides: [2, 2],
      padding: 'valid',
      data_format: 'channels_last',
    }),
  ];
}

function dense(name: string, units: number, activation: 'relu' | 'linear'): Layer {
  return layer('Dense', name, {
    units,
    activation,
    use_bias: true,
    kernel_initializer: glorotUniform,
    bias_initializer: zeros,
  });
}

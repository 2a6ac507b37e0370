import type { ModelTopology } from '../../engine/engine.js';

/** Layers in Keras 2's JSON form. Every default is explicit, because the topology enters the job digest. */

export interface Layer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export function layer(className: string, name: string, config: Readonly<Record<string, unknown>>): Layer {
  return { class_name: className, config: { name, trainable: true, ...config } };
}

function withInput(first: Layer, imageShape: readonly number[]): Layer {
  const input = { batch_input_shape: [null, ...imageShape], dtype: 'float32' };
  return { class_name: first.class_name, config: { ...first.config, ...input } };
}

/** Glorot & Bengio 2010, uniform; Keras's default (TF.js's default for dense layers differs). */
const glorotUniform = {
  class_name: 'VarianceScaling',
  config: { scale: 1, mode: 'fan_avg', distribution: 'uniform', seed: null },
};
const zeros = { class_name: 'Zeros', config: {} };
const ones = { class_name: 'Ones', config: {} };

/** A convolution with square filters. Use `bias: false` before a batch norm, which has a shift of its own. */
export function convolution(
  name: string,
  { filters, kernel, stride = 1, bias = true, initializer = glorotUniform }: Convolution,
): Layer {
  return layer('Conv2D', name, {
    filters,
    kernel_size: [kernel, kernel],
    strides: [stride, stride],
    padding: 'same',
    data_format: 'channels_last',
    dilation_rate: [1, 1],
    activation: 'linear',
    use_bias: bias,
    kernel_initializer: initializer,
    bias_initializer: zeros,
  });
}

export interface Convolution {
  readonly filters: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly bias?: boolean;
  readonly initializer?: object;
}

export function batchNorm(name: string): Layer {
  return layer('BatchNormalization', name, {
    axis: -1,
    momentum: 0.9,
    epsilon: 1e-5,
    center: true,
    scale: true,
    beta_initializer: zeros,
    gamma_initializer: ones,
    moving_mean_initializer: zeros,
    moving_variance_initializer: ones,
  });
}

export function relu(name: string): Layer {
  return layer('Activation', name, { activation: 'relu' });
}

export function dense(name: string, units: number, activation: 'relu' | 'linear'): Layer {
  return layer('Dense', name, {
    units,
    activation,
    use_bias: true,
    kernel_initializer: glorotUniform,
    bias_initializer: zeros,
  });
}

/** A sequential model for images `[H, W, C]`. */
export function sequential(
  name: string,
  imageShape: readonly number[],
  [first, ...rest]: readonly [Layer, ...Layer[]],
): ModelTopology {
  const layers = [withInput(first, imageShape), ...rest];
  return { class_name: 'Sequential', config: { name, layers }, ...origin };
}

/** Keras version of the format. */
export const origin = { keras_version: '2.15.0', backend: 'tensorflow' };

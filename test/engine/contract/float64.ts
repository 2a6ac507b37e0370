import type { ModelLayout, ProgramInput, WeightInfo } from '../../../engine/engine.js';
import { normalise } from '../layers/oracle.js';

/**
 * The contract's model in double precision, written out with loops; it shares no code with an engine. Gradients are
 * central differences of its loss, whose own error is below 1e-8.
 */

export interface Expected {
  readonly lossSum: number;
  readonly correct: number;
  /** Batch means, then biased variances, in the order of the moving ones. */
  readonly statistics: readonly number[];
  /** Log-softmax `[batch · classes]` */
  readonly rows: readonly number[];
}

/** Values `[N, H, W, C]`. */
interface Images {
  readonly values: Float64Array;
  readonly shape: readonly [number, number, number, number];
}

type Weight = (name: string) => Float64Array;

/**
 * One forward pass.
 * @param params - in double precision, so that differences can be taken.
 * @param mode - train: batch statistics and masks; evaluate: running statistics.
 */
export function pass(
  layout: ModelLayout,
  input: ProgramInput,
  params: Float64Array,
  mode: 'train' | 'evaluate',
): Expected {
  const weight = pieces(layout.parameters, params);
  const first = convolution(pixels(input), weight('conv1/kernel'), weight('conv1/bias'), 1);
  const own = moments(first);
  const running = pieces(layout.state, Float64Array.from(input.state));
  const [mean, variance] =
    mode === 'train' ? [own.mean, own.variance] : [running('norm/moving_mean'), running('norm/moving_variance')];
  const pooled = maxPool(relu(batchNorm(first, mean, variance, weight)));
  const kept = mode === 'train' ? times(pooled, input.masks![0]!) : pooled;
  const second = relu(convolution(kept, weight('conv2/kernel'), weight('conv2/bias'), 0));
  const logits = convolution(second, weight('dense/kernel'), weight('dense/bias'), 0);
  return { ...losses(logits, input.labels), statistics: [...own.mean, ...own.variance] };
}

/** Every `stride`-th element of the gradient of the loss sum with respect to one weight. */
export function gradientOf(
  layout: ModelLayout,
  input: ProgramInput,
  { offset, size }: WeightInfo,
  stride: number,
): number[] {
  const step = 2 ** -20;
  const params = Float64Array.from(input.params);
  const lossAt = (index: number, value: number) => {
    const moved = params.slice();
    moved[index] = value;
    return pass(layout, input, moved, 'train').lossSum;
  };
  return Array.from({ length: Math.ceil(size / stride) }, (_, i) => {
    const index = offset + i * stride;
    return (lossAt(index, params[index]! + step) - lossAt(index, params[index]! - step)) / (2 * step);
  });
}

function pieces(infos: readonly WeightInfo[], values: Float64Array): Weight {
  return (name) => {
    const { offset, size } = infos.find((info) => info.name === name)!;
    return values.subarray(offset, offset + size);
  };
}

function pixels({ images }: ProgramInput): Images {
  const { mean, deviation } = normalise;
  const values = Float64Array.from(images, (x, i) => (x / 255 - mean[i % 2]!) / deviation[i % 2]!);
  return { values, shape: [images.length / 72, 6, 6, 2] };
}

/** With a square filter `[k, k, C, out]`, `border` zeros around, stride 1. */
function convolution(x: Images, kernel: Float64Array, bias: Float64Array, border: number): Images {
  const [n, h, w, c] = x.shape;
  const k = Math.sqrt(kernel.length / (c * bias.length));
  const [rows, columns, out] = [h + 2 * border - k + 1, w + 2 * border - k + 1, bias.length];
  const values = new Float64Array(n * rows * columns * out).map((_, i) => bias[i % out]!);
  for (let at = 0; at < n * rows * columns; at++) {
    const [image, y, left] = [Math.floor(at / (rows * columns)), Math.floor(at / columns) % rows, at % columns];
    for (let tap = 0; tap < k * k; tap++) {
      const [row, column] = [y + Math.floor(tap / k) - border, left + (tap % k) - border];
      if (row < 0 || row >= h || column < 0 || column >= w) continue;
      const from = ((image * h + row) * w + column) * c;
      addProduct(values, at * out, out, x.values.subarray(from, from + c), kernel.subarray(tap * c * out));
    }
  }
  return { values, shape: [n, rows, columns, out] };
}

/** Adds row vector · matrix to `out` elements of `sums`. */
function addProduct(sums: Float64Array, at: number, out: number, row: Float64Array, matrix: Float64Array): void {
  for (let i = 0; i < row.length; i++) {
    for (let o = 0; o < out; o++) sums[at + o]! += row[i]! * matrix[i * out + o]!;
  }
}

function moments({ values, shape }: Images): { readonly mean: Float64Array; readonly variance: Float64Array } {
  const channels = shape[3];
  const average = (of: (x: number, channel: number) => number) => {
    const sums = new Float64Array(channels);
    values.forEach((x, i) => (sums[i % channels]! += of(x, i % channels)));
    return sums.map((sum) => (sum * channels) / values.length);
  };
  const mean = average((x) => x);
  return { mean, variance: average((x, channel) => (x - mean[channel]!) ** 2) };
}

function batchNorm({ values, shape }: Images, mean: Float64Array, variance: Float64Array, weight: Weight): Images {
  const [gamma, beta] = [weight('norm/gamma'), weight('norm/beta')];
  const scaled = values.map((x, i) => {
    const c = i % shape[3];
    return ((x - mean[c]!) / Math.sqrt(variance[c]! + 1e-3)) * gamma[c]! + beta[c]!;
  });
  return { values: scaled, shape };
}

function relu({ values, shape }: Images): Images {
  return { values: values.map((x) => Math.max(0, x)), shape };
}

/** Windows of 2×2. */
function maxPool({ values, shape: [n, h, w, c] }: Images): Images {
  const pooled = new Float64Array((n * h * w * c) / 4).fill(-Infinity);
  values.forEach((x, i) => {
    const [row, column] = [Math.floor(i / (w * c)), Math.floor(i / c) % w];
    const to = (Math.floor(row / 2) * (w / 2) + Math.floor(column / 2)) * c + (i % c);
    pooled[to] = Math.max(pooled[to]!, x);
  });
  return { values: pooled, shape: [n, h / 2, w / 2, c] };
}

function times({ values, shape }: Images, mask: Float32Array): Images {
  return { values: values.map((x, i) => x * mask[i]!), shape };
}

function losses({ values, shape: [n, , , classes] }: Images, labels: Int32Array): Omit<Expected, 'statistics'> {
  const rows = Array.from({ length: n }, (_, i) => logSoftmax([...values.subarray(i * classes, (i + 1) * classes)]));
  const correct = rows.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]).length;
  return { rows: rows.flat(), correct, lossSum: rows.reduce((sum, row, i) => sum - row[labels[i]!]!, 0) };
}

function logSoftmax(row: readonly number[]): number[] {
  const largest = Math.max(...row);
  const sum = row.reduce((total, x) => total + Math.exp(x - largest), 0);
  return row.map((x) => x - largest - Math.log(sum));
}

import { relativeError } from '../../engine/parity/compare.js';
import type { Initial, Numbers, PlacedWeight } from './judge.js';
import type { OwnedWeight, Results, Trained } from './subject.js';

/**
 * Largest relative error between two f32 computations of the same function. Sums in another order give about 1e-6 (the
 * report has the quantiles). A different function gives more, except for an epsilon far below a norm's variance: 1e-3
 * instead of 1e-5 gives 5e-4, but 1e-5 instead of 1e-7 isn't detected.
 */
export const tolerance = 2e-5;
/** Error accepted beyond `tolerance`, as a multiple of tf_keras's own rounding; see `sensitivity` in judge.py. */
const roundings = 20;
/** A parameter's gradient below this share of the whole gradient's norm is rounding noise, as before a batch norm. */
const floorShare = 1e-2;

export interface Difference {
  readonly what: string;
  readonly error: number;
}

const vectorOf = (text: string): Float32Array => {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};
export const textOf = (vector: Float32Array | Uint8Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');

/** The weights in the judge's form, with the values of one run. */
export function placedWeights(weights: readonly OwnedWeight[], { input }: Results): PlacedWeight[] {
  return weights.map(({ name, shape, path, index, trainable, offset, size }) => {
    const vector = trainable ? input.params : input.state;
    return { name, shape, path, index, trainable, values: textOf(vector.slice(offset, offset + size)) };
  });
}

/** The largest difference between the program's numbers and tf_keras's; 0 where rounding explains it. */
export function differenceOf({ weights }: Trained, results: Results, judged: Numbers): Difference {
  const found = [
    { what: 'loss', error: Math.abs(results.train.lossSum - judged.loss) / Math.max(Math.abs(judged.loss), 1e-3) },
    { what: 'rows of evaluation', error: relativeError(results.rows, vectorOf(judged.rows)) },
    ...gradientErrors(weights, results, judged),
    ...stateErrors(weights, results, judged),
  ];
  return found.reduce((a, b) => (b.error <= a.error ? a : b));
}

function gradientErrors(weights: readonly OwnedWeight[], { train }: Results, judged: Numbers): Difference[] {
  const expected = judged.gradients.map(vectorOf);
  const norms = expected.map((gradient) => Math.hypot(...gradient));
  const floor = Math.max(floorShare * Math.hypot(...norms), Number.MIN_VALUE);
  return weights
    .filter(({ trainable }) => trainable)
    .map(({ name, offset, size }, i) => {
      const error = relativeError(train.gradient.subarray(offset, offset + size), expected[i]!, floor);
      const rounding = (judged.sensitivity?.[i] ?? 0) / Math.max(norms[i]!, floor);
      return { what: `gradient of ${name}`, error: error <= roundings * rounding ? 0 : error };
    });
}

function stateErrors(weights: readonly OwnedWeight[], { input, train }: Results, judged: Numbers): Difference[] {
  return weights
    .filter(({ trainable }) => !trainable)
    .map(({ name, offset, size, momentum }, i) => {
      const updated = Float32Array.from({ length: size }, (_, j) => {
        return momentum * input.state[offset + j]! + (1 - momentum) * train.statistics[offset + j]!;
      });
      return { what: `running statistic ${name}`, error: relativeError(updated, vectorOf(judged.state[i]!)) };
    });
}

/** Difference of initial values, if any: constants are compared exactly, random ones by mean and spread. */
export function initialDifference({ weights, initial }: Trained, { initial: judged }: Numbers): string | undefined {
  const wrong = weights.find(({ trainable, offset, size }, i) => {
    const values = (trainable ? initial.params : initial.state).subarray(offset, offset + size);
    return !isDrawnAs(values, judged[i]!);
  });
  return wrong && `initial values of ${wrong.name}`;
}

const fewest = 64;

function isDrawnAs(values: Float32Array, { mean, deviation, values: fixed }: Initial): boolean {
  if (fixed !== undefined && values.length > 2) return relativeError(values, vectorOf(fixed)) < 1e-6;
  if (values.length < fewest) return true;
  const ours = values.reduce((sum, x) => sum + x, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - ours) ** 2, 0) / values.length);
  const noise = 6 / Math.sqrt(values.length);
  return Math.abs(ours - mean) <= 2 * noise * deviation && Math.abs(spread - deviation) <= 1.5 * noise * deviation;
}

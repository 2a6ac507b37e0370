import { InvariantError } from '../util/errors.js';

/** Constants of one SGD update without momentum. */
interface SgdConstants {
  /** 1 / samples */
  readonly perSample: number;
  readonly rate: number;
  readonly decay: number;
}

/** Constants of one SGD update with momentum. */
interface MomentumConstants {
  readonly perSample: number;
  readonly decay: number;
  readonly momentum: number;
  /** Factor of the new velocity in the update. */
  readonly velocityRate: number;
  /** Factor of the gradient in the update, besides the velocity; 0 unless Nesterov's rule applies. */
  readonly gradientRate: number;
}

/** Constants of one Adam update. */
export interface AdamConstants {
  readonly perSample: number;
  readonly l2: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly stepSize: number;
  readonly squareScale: number;
  readonly epsilon: number;
  readonly shrink: number;
}

/**
 * Arithmetic on vectors of parameters. The vectors of one call have one length and don't overlap.
 *
 * Implementations give the same bits (NaN counts as one value): each operation is rounded as `plainVectors` writes it.
 * They throw if lengths differ; nothing has changed then.
 */
export interface VectorOps {
  /** left += right, in f32. */
  add(left: Float32Array, right: Float32Array): void;
  /** True if no value is NaN or infinite. */
  allFinite(values: Float32Array): boolean;
  /** Updates `params` in place by SGD. */
  sgd(vectors: { readonly params: Float32Array; readonly gradient: Float32Array }, constants: SgdConstants): void;
  /** Updates `params` and `velocity` in place by SGD with momentum. */
  momentum(
    vectors: { readonly params: Float32Array; readonly velocity: Float32Array; readonly gradient: Float32Array },
    constants: MomentumConstants,
  ): void;
  /** Updates `params`, `means` and `squares` in place by Adam. */
  adam(
    vectors: {
      readonly params: Float32Array;
      readonly means: Float32Array;
      readonly squares: Float32Array;
      readonly gradient: Float32Array;
    },
    constants: AdamConstants,
  ): void;
}

/** The definition of the arithmetic: f64, which JavaScript defines to the last bit, rounded to f32 when stored. */
export const plainVectors: VectorOps = {
  add(left, right) {
    checkLengths(left, right);
    for (let i = 0; i < left.length; i++) left[i] = left[i]! + right[i]!;
  },

  /** value − value is 0 for finite values only, and NaN stays in a sum. Four sums don't wait for each other. */
  allFinite(values) {
    const even = values.length - (values.length % 4);
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < even; i += 4) {
      a += values[i]! - values[i]!;
      b += values[i + 1]! - values[i + 1]!;
      c += values[i + 2]! - values[i + 2]!;
      d += values[i + 3]! - values[i + 3]!;
    }
    for (let i = even; i < values.length; i++) a += values[i]! - values[i]!;
    return a + b + c + d === 0;
  },

  sgd({ params, gradient }, { perSample, rate, decay }) {
    checkLengths(params, gradient);
    for (let i = 0; i < params.length; i++) {
      const param = params[i]!;
      params[i] = param - rate * (gradient[i]! * perSample + decay * param);
    }
  },

  momentum({ params, velocity, gradient }, { perSample, decay, momentum, velocityRate, gradientRate }) {
    checkLengths(params, velocity, gradient);
    for (let i = 0; i < params.length; i++) {
      const param = params[i]!;
      const mean = gradient[i]! * perSample + decay * param;
      const moved = Math.fround(momentum * velocity[i]! + mean);
      velocity[i] = moved;
      params[i] = param - (velocityRate * moved + gradientRate * mean);
    }
  },

  adam({ params, means, squares, gradient }, constants) {
    checkLengths(params, means, squares, gradient);
    const { perSample, l2, beta1, beta2, stepSize, squareScale, epsilon, shrink } = constants;
    for (let i = 0; i < params.length; i++) {
      const param = params[i]!;
      const slope = gradient[i]! * perSample + l2 * param;
      const mean = Math.fround(beta1 * means[i]! + (1 - beta1) * slope);
      const square = Math.fround(beta2 * squares[i]! + (1 - beta2) * slope * slope);
      means[i] = mean;
      squares[i] = square;
      params[i] = shrink * param - (stepSize * mean) / (Math.sqrt(square) * squareScale + epsilon);
    }
  },
};

function checkLengths(...vectors: readonly Float32Array[]): void {
  const lengths = vectors.map(({ length }) => length);
  if (new Set(lengths).size === 1) return;
  throw new InvariantError(`vectors: expected equal lengths, got ${lengths.join(' and ')}`);
}

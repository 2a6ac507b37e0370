import { integerPower } from './arithmetic.js';
import type { OptimizerSpec } from './spec.js';

/** A state vector of the optimizer, e.g. `momentum`. */
export interface Slot {
  readonly name: string;
  /** `[parameterCount]` */
  readonly values: Float32Array;
}

/** Inputs of one update that are the same for all parameters. */
interface Update {
  /** Samples in the gradient sum, over all shards. */
  readonly samples: number;
  readonly learningRate: number;
  /** Index of the update, from 0. */
  readonly step: number;
}

/**
 * An optimizer with its slots. Values are computed in f64, which JavaScript defines to the last bit, and rounded to f32
 * when stored. The slots are its only state: to resume, write the saved values into them.
 */
export interface Optimizer {
  /** `[parameterCount]` each, in fixed order; owned by the optimizer. */
  readonly slots: readonly Slot[];
  /**
   * Updates the parameters `begin` to `begin + gradientSum.length − 1` in place. Chunks may be applied in any order, each
   * once per step; the bits are those of one call for all.
   * @param gradientSum - gradient of the summed loss for these parameters; not modified.
   */
  apply(params: Float32Array, gradientSum: Float32Array, update: Update, begin?: number): void;
}

/** Creates the optimizer of `spec`, with its slots at zero. */
export function createOptimizer(spec: OptimizerSpec, parameterCount: number): Optimizer {
  switch (spec.type) {
    case 'sgd':
      return spec.momentum > 0 ? momentumSgd(spec, parameterCount) : plainSgd(spec.weightDecay);
    case 'adam':
      return adam(spec, parameterCount, { l2: spec.weightDecay, decoupled: 0 });
    case 'adamw':
      return adam(spec, parameterCount, { l2: 0, decoupled: spec.weightDecay });
    default:
      return spec satisfies never;
  }
}

function plainSgd(weightDecay: number): Optimizer {
  return {
    slots: [],
    apply(params, gradientSum, { samples, learningRate }, begin = 0) {
      const p = params.subarray(begin, begin + gradientSum.length);
      const perSample = 1 / samples;
      for (let i = 0; i < gradientSum.length; i++) {
        const param = p[i]!;
        p[i] = param - learningRate * (gradientSum[i]! * perSample + weightDecay * param);
      }
    },
  };
}

/** torch.optim.SGD with dampening 0: b ← momentum · b + g; p ← p − lr · b, or with Nesterov p − lr · (g + momentum · b). */
function momentumSgd(spec: OptimizerSpec & { type: 'sgd' }, parameterCount: number): Optimizer {
  const { momentum, weightDecay, nesterov } = spec;
  const velocity = new Float32Array(parameterCount);
  return {
    slots: [{ name: 'momentum', values: velocity }],
    apply(params, gradientSum, { samples, learningRate }, begin = 0) {
      const end = begin + gradientSum.length;
      const [p, b] = [params.subarray(begin, end), velocity.subarray(begin, end)];
      const perSample = 1 / samples;
      // One formula for both rules: a branch per parameter would make it 50 % slower.
      const velocityRate = nesterov ? learningRate * momentum : learningRate;
      const gradientRate = nesterov ? learningRate : 0;
      for (let i = 0; i < gradientSum.length; i++) {
        const param = p[i]!;
        const gradient = gradientSum[i]! * perSample + weightDecay * param;
        const moved = Math.fround(momentum * b[i]! + gradient);
        b[i] = moved;
        p[i] = param - (velocityRate * moved + gradientRate * gradient);
      }
    },
  };
}

interface AdamConstants {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * torch.optim.Adam (decay added to the gradient) and torch.optim.AdamW (parameters shrunk by 1 − lr · decay), without
 * amsgrad: m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε), t = step + 1.
 */
function adam(
  { beta1, beta2, epsilon }: AdamConstants,
  parameterCount: number,
  decay: { readonly l2: number; readonly decoupled: number },
): Optimizer {
  const means = new Float32Array(parameterCount);
  const squares = new Float32Array(parameterCount);
  return {
    slots: [
      { name: 'mean', values: means },
      { name: 'square', values: squares },
    ],
    apply(params, gradientSum, { samples, learningRate, step }, begin = 0) {
      const end = begin + gradientSum.length;
      const p = params.subarray(begin, end);
      const [m, v] = [means.subarray(begin, end), squares.subarray(begin, end)];
      const perSample = 1 / samples;
      const stepSize = learningRate / (1 - integerPower(beta1, step + 1));
      const squareScale = 1 / Math.sqrt(1 - integerPower(beta2, step + 1));
      const shrink = 1 - learningRate * decay.decoupled;
      for (let i = 0; i < gradientSum.length; i++) {
        const param = p[i]!;
        const gradient = gradientSum[i]! * perSample + decay.l2 * param;
        const mean = Math.fround(beta1 * m[i]! + (1 - beta1) * gradient);
        const square = Math.fround(beta2 * v[i]! + (1 - beta2) * gradient * gradient);
        m[i] = mean;
        v[i] = square;
        p[i] = shrink * param - (stepSize * mean) / (Math.sqrt(square) * squareScale + epsilon);
      }
    },
  };
}

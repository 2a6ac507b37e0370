import { integerPower } from './arithmetic.js';
import type { OptimizerSpec } from './spec.js';
import { type AdamConstants, plainVectors, type VectorOps } from './vectors.js';

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
 * An optimizer with its slots. Values are computed in f64 and rounded to f32 when stored (`VectorOps`). The slots are its only state: to resume, write the saved values into them.
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
export function createOptimizer(spec: OptimizerSpec, parameterCount: number, vectors = plainVectors): Optimizer {
  switch (spec.type) {
    case 'sgd':
      return spec.momentum > 0 ? momentumSgd(spec, parameterCount, vectors) : plainSgd(spec.weightDecay, vectors);
    case 'adam':
      return adam(spec, { l2: spec.weightDecay, decoupled: 0 }, parameterCount, vectors);
    case 'adamw':
      return adam(spec, { l2: 0, decoupled: spec.weightDecay }, parameterCount, vectors);
    default:
      return spec satisfies never;
  }
}

function plainSgd(decay: number, vectors: VectorOps): Optimizer {
  return {
    slots: [],
    apply(params, gradientSum, { samples, learningRate }, begin = 0) {
      const chunk = params.subarray(begin, begin + gradientSum.length);
      const constants = { perSample: 1 / samples, rate: learningRate, decay };
      vectors.sgd({ params: chunk, gradient: gradientSum }, constants);
    },
  };
}

/** torch.optim.SGD with dampening 0: b ← momentum · b + g; p ← p − lr · b, or with Nesterov p − lr · (g + momentum · b). */
function momentumSgd(spec: OptimizerSpec & { type: 'sgd' }, parameterCount: number, vectors: VectorOps): Optimizer {
  const { momentum, weightDecay, nesterov } = spec;
  const velocity = new Float32Array(parameterCount);
  return {
    slots: [{ name: 'momentum', values: velocity }],
    apply(params, gradientSum, { samples, learningRate }, begin = 0) {
      const chunk = (values: Float32Array) => values.subarray(begin, begin + gradientSum.length);
      // One formula for both rules: a branch per parameter would make it slower.
      const velocityRate = nesterov ? learningRate * momentum : learningRate;
      const gradientRate = nesterov ? learningRate : 0;
      const constants = { perSample: 1 / samples, decay: weightDecay, momentum, velocityRate, gradientRate };
      vectors.momentum({ params: chunk(params), velocity: chunk(velocity), gradient: gradientSum }, constants);
    },
  };
}

/**
 * torch.optim.Adam (decay added to the gradient) and torch.optim.AdamW (parameters shrunk by 1 − lr · decay), without
 * amsgrad: m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε), t = step + 1.
 */
function adam(
  { beta1, beta2, epsilon }: Pick<AdamConstants, 'beta1' | 'beta2' | 'epsilon'>,
  { l2, decoupled }: { readonly l2: number; readonly decoupled: number },
  parameterCount: number,
  vectors: VectorOps,
): Optimizer {
  const means = new Float32Array(parameterCount);
  const squares = new Float32Array(parameterCount);
  return {
    slots: [
      { name: 'mean', values: means },
      { name: 'square', values: squares },
    ],
    apply(params, gradientSum, { samples, learningRate, step }, begin = 0) {
      const chunk = (values: Float32Array) => values.subarray(begin, begin + gradientSum.length);
      const stepSize = learningRate / (1 - integerPower(beta1, step + 1));
      const squareScale = 1 / Math.sqrt(1 - integerPower(beta2, step + 1));
      const shrink = 1 - learningRate * decoupled;
      vectors.adam(
        { params: chunk(params), means: chunk(means), squares: chunk(squares), gradient: gradientSum },
        { perSample: 1 / samples, l2, beta1, beta2, stepSize, squareScale, epsilon, shrink },
      );
    },
  };
}

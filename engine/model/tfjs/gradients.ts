import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import type * as Core from '@tensorflow/tfjs-core';

type Tf = typeof Core;
type GradFunc = GradConfig['gradFunc'];

/**
 * Replaces two of TF.js's gradients, for every backend:
 *
 * - Maximum or minimum over axes: TF.js gives dy to every element equal to the extreme, so ties multiply the gradient.
 *   Here the first one gets it, as in max pooling.
 * - `tile`: TF.js adds one slice per repetition, which for layer normalization is one addition per sample and pixel.
 */
export function replaceGradients(tf: Tf): void {
  const extremes = { Max: tf.argMax, Min: tf.argMin };
  for (const [kernelName, first] of Object.entries(extremes)) {
    const gradFunc: GradFunc = (dy, [x], attrs) => ({
      x: () => firstExtremeGrad(tf, first, dy as Tensor, x!, axesOf(tf, attrs, x!.shape)),
    });
    tf.registerGradient({ kernelName, inputsToSave: ['x'], gradFunc });
  }
  const gradFunc: GradFunc = (dy, [x], attrs) => ({
    x: () => tileGrad(tf, dy as Tensor, x!.shape, (attrs as unknown as { reps: number[] }).reps),
  });
  tf.registerGradient({ kernelName: 'Tile', inputsToSave: ['x'], gradFunc });
}

/** Axes of a reduction. TF.js names them `reductionIndices` for Max, `axis` for Min. */
function axesOf(tf: Tf, attrs: unknown, shape: number[]): number[] {
  const { reductionIndices, axis } = attrs as { reductionIndices?: number | number[]; axis?: number | number[] };
  return [...tf.util.parseAxisParam((reductionIndices ?? axis)!, shape)].sort((a, b) => a - b);
}

/** dy at the first extreme of x along the axes in row-major order, else 0. */
function firstExtremeGrad(
  tf: Tf,
  first: (x: Tensor, axis: number) => Tensor,
  dy: Tensor,
  x: Tensor,
  axes: number[],
): Tensor {
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const perm = [...others, ...axes];
  const moved = tf.transpose(x, perm);
  const length = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  const rows = tf.reshape(moved, [-1, length]);
  const places: Tensor = tf.tensor1d(
    Int32Array.from({ length }, (_, i) => i),
    'int32',
  );
  const isFirst = tf.equal(tf.expandDims(first(rows, 1), 1), places);
  const given = tf.mul(tf.reshape(dy, [-1, 1]), tf.cast(isFirst, 'float32'));
  return tf.transpose(tf.reshape(given, moved.shape), inverseOf(perm));
}

function inverseOf(perm: readonly number[]): number[] {
  return perm.map((_, axis) => perm.indexOf(axis));
}

/** dy, `[r₀·d₀, r₁·d₁, …]`, summed over the repetitions: `[d₀, d₁, …]`. */
function tileGrad(tf: Tf, dy: Tensor, shape: readonly number[], reps: readonly number[]): Tensor {
  const split: number[] = [];
  const repeated: number[] = [];
  shape.forEach((size, axis) => {
    if (reps[axis] !== 1) repeated.push(split.push(reps[axis]!) - 1);
    if (reps[axis] === 1 || size !== 1) split.push(size);
  });
  return tf.reshape(tf.sum(tf.reshape(dy, split), repeated), [...shape]);
}

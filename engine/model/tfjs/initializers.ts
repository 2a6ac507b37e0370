import type { Tensor } from '@tensorflow/tfjs-core';
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

/** Used fields of TF.js's initializers. */
interface Scaling {
  readonly distribution: string;
  apply: (this: Scaling, shape: number[], dtype?: string) => Tensor;
}
interface Orthogonal {
  readonly gain: number;
  readonly seed?: number;
  apply(shape: number[]): Tensor;
}

/** Makes TF.js's initializers agree with Keras's. */
export function replaceInitializers(tf: typeof Core, layers: typeof Layers): void {
  replaceOrthogonal(tf, layers);
  drawTruncatedNormal(layers);
  const lecun = { LecunNormal: layers.initializers.leCunNormal, LecunUniform: layers.initializers.leCunUniform };
  for (const [name, make] of Object.entries(lecun)) registerAs(tf, name, make({}).constructor);
}

/** Corrects `varianceScaling`, which draws a uniform distribution for `truncatedNormal`, the default in Keras. */
function drawTruncatedNormal(layers: typeof Layers): void {
  const prototype = Object.getPrototypeOf(layers.initializers.varianceScaling({})) as Scaling;
  const { apply } = prototype;
  prototype.apply = function (...args) {
    const asNormal = Object.create(this, { distribution: { value: 'normal' } }) as Scaling;
    return apply.apply(this.distribution === 'truncatedNormal' ? asNormal : this, args);
  };
}

/** Registers an initializer under the name that Keras writes. */
function registerAs(tf: typeof Core, className: string, initializer: object): void {
  const Parent = initializer as new () => object;
  const Named = class extends Parent {
    static readonly className = className;
  };
  tf.serialization.registerClass(Named as never);
}

/**
 * Replaces the computation of TF.js's `orthogonal` initializer, the default of recurrent layers. TF.js's own version
 * needs tensor methods that its core alone lacks, and takes seconds for a large matrix. The values are the same up to
 * rounding: with the signs of R's diagonal fixed, the Q of a QR decomposition is unique.
 */
function replaceOrthogonal(tf: typeof Core, layers: typeof Layers): void {
  const prototype = Object.getPrototypeOf(layers.initializers.orthogonal({})) as Orthogonal;
  prototype.apply = function (shape) {
    if (shape.length < 2) {
      throw new Error(`orthogonal initializer: expected a weight of at least 2 dimensions, got [${shape.join(', ')}]`);
    }
    const columns = shape.at(-1)!;
    const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
    const normal = tf.tidy(() => tf.randomNormal([long, short], 0, 1, 'float32', this.seed).dataSync<'float32'>());
    const vectors = orthonormal(columnsOf(normal, short));
    const isTall = rows >= columns;
    const at = (row: number, column: number) => (isTall ? vectors[column]![row]! : vectors[row]![column]!);
    const values = Float32Array.from(
      { length: rows * columns },
      (_, i) => this.gain * at(Math.floor(i / columns), i % columns),
    );
    return tf.tensor(values, shape);
  };
}

function columnsOf(matrix: Float32Array, count: number): Float64Array[] {
  return Array.from({ length: count }, (_, column) =>
    Float64Array.from({ length: matrix.length / count }, (_, row) => matrix[row * count + column]!),
  );
}

/**
 * Orthonormalizes the vectors in place by modified Gram–Schmidt, in double precision, in two passes, which is
 * enough (Giraud et al. 2005). The order is fixed, so every process gets the same bits.
 */
function orthonormal(vectors: Float64Array[]): Float64Array[] {
  vectors.forEach((vector, i) => {
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) subtractPart(vector, vectors[j]!);
    }
    const length = Math.sqrt(dot(vector, vector));
    for (let k = 0; k < vector.length; k++) vector[k]! /= length;
  });
  return vectors;
}

/** Subtracts from `vector` its component along `unit`. */
function subtractPart(vector: Float64Array, unit: Float64Array): void {
  const factor = dot(vector, unit);
  for (let k = 0; k < vector.length; k++) vector[k]! -= factor * unit[k]!;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

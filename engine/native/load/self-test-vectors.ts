import type { VectorKernels } from './native.js';
import { generator } from './self-test-inputs.js';

/** SHA-256 of the vector operations' results in arithmetic 1, on every target that has them. */
export const vectorTestDigest = 'f23e324078d2b22afad1d28ddae7482ce14e66208e3bd1ba5c2663501381cede';

/** Four groups of the kernels' 16 lanes, and a rest. */
const length = 64 + 5;

/**
 * Runs every vector operation on fixed inputs.
 *
 * @returns the results' bytes; those of arithmetic 1 have the SHA-256 `vectorTestDigest`.
 */
export function runVectorTest(kernels: VectorKernels): Uint8Array {
  const vectors = [...onNumbers(kernels), ...onCancelling(kernels), findBroken(kernels)];
  const results = new Float32Array(vectors.reduce((sum, vector) => sum + vector.length, 0));
  let offset = 0;
  for (const vector of vectors) {
    results.set(vector, offset);
    offset += vector.length;
  }
  return new Uint8Array(results.buffer);
}

/** Numbers from -2 to 2; the squares from 0 to 1. */
function onNumbers(kernels: VectorKernels): Float32Array[] {
  const next = generator();
  const numbers = () => vectorOf(() => 4 * next() - 2);
  const gradient = numbers();
  const [sum, stepped, moved] = [numbers(), numbers(), numbers()];
  const [velocity, adapted, means] = [numbers(), numbers(), numbers()];
  const squares = vectorOf(next);
  kernels.add(sum, gradient);
  kernels.sgd(stepped, gradient, 1 / 3, 0.1, 0.01);
  kernels.momentum(moved, velocity, gradient, 1 / 3, 0.01, 0.9, 0.07, 0.05);
  kernels.adam(adapted, means, squares, gradient, 1 / 3, 0.01, 0.9, 0.999, 0.003, 0.7, 1e-8, 0.999);
  return [sum, stepped, moved, velocity, adapted, means, squares];
}

/** Products by 1 / 3 that a term cancels once they are rounded; with a fused multiply-add something remains. */
function onCancelling(kernels: VectorKernels): Float32Array[] {
  const times = (factor: number) => vectorOf((i) => factor * i);
  const [plain, moved, velocity, adapted, means] = [times(1), times(1), times(-9), times(3), times(0)];
  const squares = times(1);
  kernels.sgd(plain, times(3), 1, 1 / 3, 0);
  kernels.momentum(moved, velocity, times(3), 1, 0, 1 / 3, 1, 1 / 3);
  kernels.adam(adapted, means, squares, times(-1), 1, 1 / 3, 0.9, 0.999, 1, 1, 1e-8, 1);
  return [plain, moved, velocity, adapted, means, squares];
}

/** `Float32Array.from` takes several times as long in a process that has just started. */
function vectorOf(valueOf: (i: number) => number): Float32Array {
  const vector = new Float32Array(length);
  for (let i = 0; i < length; i++) vector[i] = valueOf(i);
  return vector;
}

/** Results of `allFinite` as 0 or 1: for finite values, and with an infinity or NaN at each position. */
function findBroken(kernels: VectorKernels): Float32Array {
  const values = vectorOf((i) => i - 30);
  const found = [kernels.allFinite(values)];
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    values[i] = [Infinity, -Infinity, NaN][i % 3]!;
    found.push(kernels.allFinite(values));
    values[i] = value;
  }
  return Float32Array.from(found, Number);
}

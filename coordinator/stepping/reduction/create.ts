import { nativeVectors } from '../../../engine/native/vectors.js';
import { plainVectors } from '../../../job/vectors.js';
import type { AccumulatorSetup } from './accumulator.js';
import type { Arithmetic, ArithmeticEvents } from './arithmetic.js';
import { InlineArithmetic } from './inline.js';
import { ArithmeticThread } from './thread.js';

/**
 * Up to this many parameters, one chunk takes well under a millisecond and an update a few. Switching between threads
 * several times per step takes longer.
 */
const inlineLimit = 1 << 19;

/** Arithmetic in the network thread for a small model, in a thread of its own for a large one. */
export function createArithmetic(setup: AccumulatorSetup, events: ArithmeticEvents): Arithmetic {
  if (setup.params.length <= inlineLimit) return new InlineArithmetic(setup, events, nativeVectors() ?? plainVectors);
  return new ArithmeticThread(setup, events);
}

/**
 * A copy of `values` that the arithmetic changes and this thread reads. It is shared memory only if the arithmetic has a
 * thread of its own, because copying out of shared memory takes two to three times as long.
 */
export function memoryFor(parameterCount: number, values: Float32Array): Float32Array {
  if (parameterCount <= inlineLimit) return values.slice();
  const copy = new Float32Array(new SharedArrayBuffer(Math.max(4, values.byteLength)), 0, values.length);
  copy.set(values);
  return copy;
}

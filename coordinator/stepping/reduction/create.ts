import type { AccumulatorSetup } from './accumulator.js';
import type { Arithmetic, ArithmeticEvents } from './arithmetic.js';
import { InlineArithmetic } from './inline.js';
import { ArithmeticThread } from './thread.js';

/**
 * Up to this many parameters the arithmetic on one chunk takes well under a millisecond, and an update a few; waking a
 * thread and being woken by it, several times per step, takes longer.
 */
const inlineLimit = 1 << 19;

/** The fitting form: for a small model in the network thread, chunk by chunk; else in a thread. */
export function createArithmetic(setup: AccumulatorSetup, events: ArithmeticEvents): Arithmetic {
  if (setup.params.length <= inlineLimit) return new InlineArithmetic(setup, events);
  return new ArithmeticThread(setup, events);
}

/**
 * A copy of `values` for the arithmetic of that many parameters to change, and this thread to read. It is shared memory
 * only where the arithmetic has a thread of its own: copying out of that takes two to three times as long.
 */
export function memoryFor(parameterCount: number, values: Float32Array): Float32Array {
  if (parameterCount <= inlineLimit) return values.slice();
  const copy = new Float32Array(new SharedArrayBuffer(Math.max(4, values.byteLength)), 0, values.length);
  copy.set(values);
  return copy;
}

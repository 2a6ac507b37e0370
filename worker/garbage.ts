/** How many steps' messages may lie about as garbage: some 2 MB each. */
const stepsPerCollection = 8;

/**
 * Frees, every few steps, what messages left; called when the engine thread begins to compute and nobody waits for this
 * one. V8 by itself notices too late, when their buffers have grown old, and then goes through all memory every nine
 * steps: 3 ms of processor time for each step, 0.6 ms of them in this thread (docs/benchmarks.md).
 * Does nothing unless Node.js runs with `--expose-gc`, as it does in the workers of `train`.
 */
export function collectGarbageOf(step: number): void {
  if (step % stepsPerCollection === 0) setImmediate(() => globalThis.gc?.({ type: 'minor' }));
}

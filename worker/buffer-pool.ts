/**
 * Buffers of one length that two threads transfer to each other instead of copying. This side fills and sends them; the
 * other returns those that it has read with its next message. Reuse avoids the page faults of new memory. Shared memory
 * needs no returning, but copying into and out of it takes two to three times as long.
 */
export class BufferPool {
  readonly #free: Float32Array[] = [];

  /** @param length - values per buffer. */
  constructor(private readonly length: number) {}

  /** A buffer for this thread to fill, with arbitrary content. */
  take(): Float32Array {
    return this.#free.pop() ?? new Float32Array(this.length);
  }

  /** Takes back returned buffers. */
  put(buffers: readonly Float32Array[]): void {
    this.#free.push(...buffers);
  }
}

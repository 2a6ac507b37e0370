/**
 * Shared buffers of one length that pass between two threads: taken by the one, released by the other when it has read
 * them. A word behind the values says whether a buffer is taken, so a release wakes nobody; and shared memory is used
 * again, while the pages of a buffer that is handed over by transfer are new each time.
 */
export class BufferPool {
  readonly #buffers: Float32Array[] = [];

  /** @param length - values per buffer. */
  constructor(private readonly length: number) {}

  /** A buffer for this thread to fill; its content is what was left there. */
  take(): Float32Array {
    const free = this.#buffers.find((buffer) => Atomics.compareExchange(flagOf(buffer), 0, 0, 1) === 0);
    if (free) return free;
    const buffer = new Float32Array(new SharedArrayBuffer(4 * this.length + 4), 0, this.length);
    Atomics.store(flagOf(buffer), 0, 1);
    this.#buffers.push(buffer);
    return buffer;
  }

  /** Gives a buffer back, from whichever thread has read it. */
  static release(buffer: Float32Array): void {
    Atomics.store(flagOf(buffer), 0, 0);
  }
}

/** 1 while the buffer is taken. */
function flagOf(buffer: Float32Array): Int32Array {
  return new Int32Array(buffer.buffer, buffer.byteOffset + buffer.byteLength, 1);
}

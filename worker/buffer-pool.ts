/**
 * Buffers of one length that go to and fro between two threads, handed over rather than copied: this side fills and
 * sends them, the other one sends back those that it has read, with whatever message comes next. The same few go round,
 * as the pages of new memory cost more than copying into old. Shared memory would need no sending back, but copying into
 * it and out of it takes two to three times as long.
 */
export class BufferPool {
  readonly #free: Float32Array[] = [];

  /** @param length - values per buffer. */
  constructor(private readonly length: number) {}

  /** A buffer for this thread to fill; its content is what was left there. */
  take(): Float32Array {
    return this.#free.pop() ?? new Float32Array(this.length);
  }

  /** Takes in buffers that came back. */
  put(buffers: readonly Float32Array[]): void {
    this.#free.push(...buffers);
  }
}

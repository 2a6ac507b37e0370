/**
 * Shared buffers of one length that pass between two threads: taken by the one, given back when the other has read
 * them. Handing a fresh buffer over by transfer costs more than a copy, because its pages are new each time.
 */
export class BufferPool {
  readonly #free: SharedArrayBuffer[] = [];

  constructor(private readonly bytes: number) {}

  /** A vector over a shared buffer; its content is what was left there. */
  take(): Float32Array {
    return new Float32Array(this.#free.pop() ?? new SharedArrayBuffer(this.bytes));
  }

  giveBack(values: Float32Array): void {
    this.#free.push(values.buffer as SharedArrayBuffer);
  }
}

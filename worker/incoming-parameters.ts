import { storeChunk } from '../proto/chunks.js';
import { ClusterError } from '../proto/errors.js';
import type { Parameters } from '../proto/messages.js';

/** Puts the chunks of the vector on its way together: parameters of a step, or with the running statistics. */
export class IncomingParameters {
  #vector: { readonly key: string; readonly values: Float32Array; received: number } | undefined;

  /** @param emptyVector - a vector of the length that a step, or an evaluation, needs. */
  constructor(private readonly emptyVector: (evaluation: boolean) => Float32Array) {}

  /** Whether a vector has begun and isn't complete. */
  get isReceiving(): boolean {
    return this.#vector !== undefined;
  }

  /**
   * @returns the vector, once its last chunk is there.
   * @throws ClusterError BAD_CHUNK for any other chunk than the next one, or a damaged one.
   */
  add(message: Parameters): Float32Array | undefined {
    const { step, evaluation, chunk, chunks } = message;
    const key = `${step}/${evaluation}`;
    if (chunk === 0) this.#vector = { key, values: this.emptyVector(evaluation), received: 0 };
    const expected = this.#vector?.key === key ? this.#vector.received : 0;
    if (!this.#vector || chunk !== expected) {
      throw new ClusterError(
        'BAD_CHUNK',
        `parameters of step ${step}: expected chunk ${expected} next, got chunk ${chunk}; the worker joins again`,
      );
    }
    storeChunk(this.#vector.values, message, `parameters of step ${step}`);
    if (++this.#vector.received < chunks) return undefined;
    const { values } = this.#vector;
    this.#vector = undefined;
    return values;
  }
}

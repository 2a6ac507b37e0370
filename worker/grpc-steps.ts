import { storeChunk } from '../proto/chunks.js';
import { ClusterError } from '../proto/errors.js';
import type { Parameters } from '../proto/messages.js';

/** Assembles the chunks of one vector: the parameters of a step, or those of an evaluation with running statistics. */
export class IncomingParameters {
  #vector: { readonly key: string; readonly values: Float32Array; received: number } | undefined;

  /** @param emptyVector - returns a vector of the length needed by a step or an evaluation. */
  constructor(private readonly emptyVector: (evaluation: boolean) => Float32Array) {}

  /** True while a vector has begun and isn't complete. */
  get isReceiving(): boolean {
    return this.#vector !== undefined;
  }

  /**
   * @returns the vector after its last chunk, else undefined.
   * @throws ClusterError BAD_CHUNK for a damaged chunk or any but the next one.
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

import { chunkCount, chunkFields } from '../proto/chunks.js';
import { Encoded } from './services.js';

/** Use of a vector. */
export interface VectorKind {
  readonly term: number;
  readonly step: number;
  /** Parameters followed by running statistics, for an evaluation. */
  readonly evaluation: boolean;
}

/**
 * A vector to be sent to any number of workers. Each chunk is encoded once, when the first connection is ready to write
 * it, so a worker receives one chunk while the next is encoded.
 *
 * The values must not change until one worker has answered, which then has all chunks. Later workers get the same bytes.
 */
export class OutgoingVector {
  readonly key: string;
  readonly byteLength: number;
  readonly #encoded: (Encoded | undefined)[];

  constructor(
    readonly kind: VectorKind,
    readonly values: Float32Array,
  ) {
    this.key = `${kind.step}/${kind.evaluation}`;
    this.byteLength = values.byteLength;
    this.#encoded = new Array<Encoded | undefined>(chunkCount(values.length)).fill(undefined);
  }

  /** All chunks as messages, in order. */
  messages(): Encoded[] {
    for (let index = 0; index < this.#encoded.length; index++) {
      this.#encoded[index] ??= new Encoded(() => ({
        parameters: { ...this.kind, ...chunkFields(this.values, index) },
      }));
    }
    return this.#encoded as Encoded[];
  }
}

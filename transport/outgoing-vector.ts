import { chunkCount, chunkFields } from '../proto/chunks.js';
import { Encoded } from './services.js';

/** What a vector is for. */
export interface VectorKind {
  readonly term: number;
  readonly step: number;
  /** Parameters followed by running statistics, for an evaluation. */
  readonly evaluation: boolean;
}

/**
 * A vector on its way to any number of workers: each chunk is encoded once, when the connection to the first of them has
 * taken the chunk before it, so the worker receives one while the next is made.
 *
 * The values must not change before one worker has answered, who has all chunks then; those who come later get the
 * same bytes.
 */
export class OutgoingVector {
  readonly key: string;
  readonly chunks: number;
  readonly byteLength: number;
  readonly #encoded: (Encoded | undefined)[];

  constructor(
    readonly kind: VectorKind,
    readonly values: Float32Array,
  ) {
    this.key = `${kind.step}/${kind.evaluation}`;
    this.chunks = chunkCount(values.length);
    this.byteLength = values.byteLength;
    this.#encoded = new Array<Encoded | undefined>(this.chunks);
  }

  /** Chunk `index` as a message. */
  message(index: number): Encoded {
    return (this.#encoded[index] ??= new Encoded(() => ({
      parameters: { ...this.kind, ...chunkFields(this.values, index) },
    })));
  }
}

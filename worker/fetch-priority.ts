import type { JobManifest, PartRef } from '../job/manifest.js';
import { ClusterError } from '../proto/errors.js';
import type { Assignment } from '../proto/messages.js';
import type { WantedPart } from './chunk-store.js';

/**
 * Parts of the dataset that a worker fetches, in order: its shards first, and the test set once its first results are
 * sent, because all processes of a host are busy before that.
 */
export class FetchPriority {
  #training: readonly WantedPart[] = [];
  #evaluation: readonly WantedPart[] = [];
  #withEvaluation = false;

  constructor(private readonly manifest: JobManifest) {}

  /** @throws ClusterError BAD_MESSAGE if the job has no such part. */
  assign({ shards, evaluationBatches }: Pick<Assignment, 'shards' | 'evaluationBatches'>): void {
    const { manifest } = this;
    this.#training = shards.map((index) => wantedPart('shard', manifest.shards, index));
    this.#evaluation = evaluationBatches.map((index) => wantedPart('evaluation', manifest.evaluation, index));
  }

  /** Includes the test set from now on. @returns false if it was included already. */
  includeEvaluation(): boolean {
    const waited = !this.#withEvaluation;
    this.#withEvaluation = true;
    return waited;
  }

  /** A worker without shards fetches the test set at once. */
  get parts(): readonly WantedPart[] {
    const isDue = this.#withEvaluation || this.#training.length === 0;
    return isDue ? [...this.#training, ...this.#evaluation] : this.#training;
  }
}

function wantedPart(set: WantedPart['set'], parts: readonly PartRef[], index: number): WantedPart {
  const part = parts[index];
  if (part) return { set, index, part };
  throw new ClusterError('BAD_MESSAGE', `assignment: expected ${set} 0..${parts.length - 1}, got ${index}`);
}

import type { JobManifest, PartRef } from '../job/manifest.js';
import { ClusterError } from '../proto/errors.js';
import type { Assignment } from '../proto/messages.js';
import type { WantedPart } from './chunk-store.js';

/**
 * Which parts a worker fetches, in which order: its shards first, and the test set only when its first results are on
 * their way, as all processes of a host are busy up to there.
 */
export class FetchPriority {
  #training: readonly WantedPart[] = [];
  #evaluation: readonly WantedPart[] = [];
  #withEvaluation = false;

  constructor(private readonly manifest: JobManifest) {}

  /** @throws ClusterError BAD_MESSAGE when the job has no such part. */
  assign({ shards, evaluationBatches }: Pick<Assignment, 'shards' | 'evaluationBatches'>): void {
    const { manifest } = this;
    this.#training = shards.map((index) => wantedPart('shard', manifest.shards, index));
    this.#evaluation = evaluationBatches.map((index) => wantedPart('evaluation', manifest.evaluation, index));
  }

  /** The test set is not to wait any longer. @returns whether it did. */
  includeEvaluation(): boolean {
    const waited = !this.#withEvaluation;
    this.#withEvaluation = true;
    return waited;
  }

  /** A worker without shards has nothing better to do than to fetch the test set. */
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

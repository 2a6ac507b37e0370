import type { JobManifest, ChunkRef } from '../job/manifest.js';
import { ClusterError } from '../proto/errors.js';
import type { Assignment } from '../proto/messages.js';
import type { WantedChunk } from './chunk-store.js';

/**
 * Dataset chunks that a worker fetches, in order: its shards first, and the test set once its first results are
 * sent, because all processes of a host are busy before that.
 */
export class FetchPriority {
  #training: readonly WantedChunk[] = [];
  #evaluation: readonly WantedChunk[] = [];
  #withEvaluation = false;

  constructor(private readonly manifest: JobManifest) {}

  /** @throws ClusterError BAD_MESSAGE if the job has no such chunk. */
  assign({ shards, evaluationBatches }: Pick<Assignment, 'shards' | 'evaluationBatches'>): void {
    const { manifest } = this;
    this.#training = shards.map((index) => wantedChunk('shard', manifest.shards, index));
    this.#evaluation = evaluationBatches.map((index) => wantedChunk('evaluation', manifest.evaluation, index));
  }

  /** Includes the test set from now on. @returns false if it was included already. */
  includeEvaluation(): boolean {
    const waited = !this.#withEvaluation;
    this.#withEvaluation = true;
    return waited;
  }

  /** A worker without shards fetches the test set at once. */
  get chunks(): readonly WantedChunk[] {
    const isDue = this.#withEvaluation || this.#training.length === 0;
    return isDue ? [...this.#training, ...this.#evaluation] : this.#training;
  }
}

function wantedChunk(set: WantedChunk['set'], chunks: readonly ChunkRef[], index: number): WantedChunk {
  const chunk = chunks[index];
  if (chunk) return { set, index, chunk };
  throw new ClusterError('BAD_MESSAGE', `assignment: expected ${set} 0..${chunks.length - 1}, got ${index}`);
}

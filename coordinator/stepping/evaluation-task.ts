import { checkCrc } from '../../proto/chunks.js';
import { ClusterError } from '../../proto/errors.js';
import type { JobManifest } from '../../job/manifest.js';
import type { Evaluate, EvaluationRows } from '../../proto/messages.js';
import type { ItemNeeds } from './decisions/owners.js';
import { WorkBoard } from './work-board.js';

/**
 * Bookkeeping of one evaluation: log-softmax rows of the whole test set, computed in batches that the spec fixes. Sends
 * nothing. Its items are the batches.
 */
export class EvaluationTask {
  readonly kind = 'evaluation';
  readonly board: WorkBoard;
  /** Settles when `rows` is complete. */
  readonly done: Promise<void>;
  /** `[testSamples, classes]` */
  readonly rows: Float32Array;
  #resolve!: () => void;

  constructor(
    private readonly manifest: JobManifest,
    readonly step: number,
  ) {
    this.board = new WorkBoard(manifest.evaluation.length);
    this.rows = new Float32Array(manifest.dataset.testSamples * manifest.dataset.classes.length);
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  needs(batch: number): ItemNeeds {
    return { batch };
  }

  message(term: number, batches: readonly number[]): Evaluate {
    return { term, step: this.step, batches: [...batches] };
  }

  /**
   * Stores one batch's rows.
   * @throws ClusterError BAD_MESSAGE, BAD_CHUNK if they don't fit; the state is then unchanged.
   */
  accept(workerId: string, message: EvaluationRows): void {
    const { batch, data } = message;
    const classes = this.manifest.dataset.classes.length;
    const bytes = (this.manifest.evaluation[batch]?.count ?? 0) * classes * 4;
    if (bytes === 0 || data.byteLength !== bytes) {
      throw new ClusterError(
        'BAD_MESSAGE',
        `evaluation rows from ${workerId}: expected batch 0..${this.board.items - 1} with ${bytes} bytes, ` +
          `got batch ${batch} with ${data.byteLength} bytes`,
      );
    }
    checkCrc(message, `evaluation rows of batch ${batch} from ${workerId}`);
    if (!this.board.finish(batch)) return;
    const offset = batch * this.manifest.spec.evaluation.batch * classes * 4;
    new Uint8Array(this.rows.buffer).set(data, offset);
    if (this.board.complete) this.#resolve();
  }
}

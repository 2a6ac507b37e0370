import { checkCrc } from '../../proto/chunks.js';
import { ClusterError } from '../../proto/errors.js';
import type { JobManifest } from '../../job/manifest.js';
import { OutgoingVector } from '../../transport/outgoing-vector.js';
import type { WorkerSession } from '../membership/session.js';
import type { EvaluationWork, ItemNeeds, TaskMessage } from './task.js';
import { WorkBoard } from './work-board.js';

/** One evaluation: log-softmax rows of the whole test set, computed in batches that the spec fixes. */
export class EvaluationTask implements EvaluationWork {
  readonly kind = 'evaluation';
  readonly board: WorkBoard;
  readonly done: Promise<void>;
  /** `[testSamples, classes]`, complete once `done` settles. */
  readonly rows: Float32Array;
  readonly #vector: OutgoingVector;
  #resolve!: () => void;

  /** @param vector - parameters followed by running statistics. */
  constructor(
    private readonly manifest: JobManifest,
    private readonly term: number,
    readonly step: number,
    vector: Float32Array,
  ) {
    this.#vector = new OutgoingVector({ term, step, evaluation: true }, vector);
    this.board = new WorkBoard(manifest.evaluation.length);
    this.rows = new Float32Array(manifest.dataset.testSamples * manifest.dataset.classes.length);
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  needs(batch: number): ItemNeeds {
    return { batch };
  }

  order(session: WorkerSession, batches: readonly number[]): void {
    session.send({ evaluate: { term: this.term, step: this.step, batches: [...batches] } });
    session.sendVector(this.#vector);
  }

  receive(session: WorkerSession, message: TaskMessage): void {
    if (!('rows' in message) || message.rows.term !== this.term || message.rows.step !== this.step) return;
    const { batch, data } = message.rows;
    const classes = this.manifest.dataset.classes.length;
    const bytes = (this.manifest.evaluation[batch]?.count ?? 0) * classes * 4;
    if (bytes === 0 || data.byteLength !== bytes) {
      throw new ClusterError(
        'BAD_MESSAGE',
        `evaluation rows from ${session.workerId}: expected batch 0..${this.board.items - 1} with ${bytes} bytes, ` +
          `got batch ${batch} with ${data.byteLength} bytes`,
      );
    }
    checkCrc(message.rows, `evaluation rows of batch ${batch} from ${session.workerId}`);
    if (!this.board.finish(batch)) return;
    const offset = batch * this.manifest.spec.evaluation.batch * classes * 4;
    new Uint8Array(this.rows.buffer).set(data, offset);
    if (this.board.complete) this.#resolve();
  }
}

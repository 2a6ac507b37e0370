import { checkChunk } from '../proto/chunks.js';
import { ClusterError } from '../proto/errors.js';
import type { Partial, ShardReport } from '../proto/messages.js';
import type { JobManifest } from '../job/manifest.js';
import { epochOf, samplesInStep, type StepPlan } from '../job/plan.js';
import { cover, isNode } from '../job/tree.js';
import type { StepOutcome } from './arithmetic/accumulator.js';
import type { ArithmeticThread } from './arithmetic/thread.js';
import type { WorkerSession } from './session.js';
import type { Task, TaskMessage } from './task.js';
import { WorkBoard } from './work-board.js';

export interface StepContext {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly term: number;
  /** Shared with the arithmetic thread, which changes it between steps only. */
  readonly params: Float32Array;
  readonly arithmetic: ArithmeticThread;
}

/** One step: parameters out to the workers, gradient partials in to the arithmetic thread, until the update is made. */
export class StepTask implements Task {
  readonly kind = 'step';
  readonly board: WorkBoard;
  readonly done: Promise<void>;
  readonly contributors = new Set<string>();
  outcome: (StepOutcome & { kind: 'committed' }) | undefined;
  #settle!: { resolve: () => void; reject: (error: Error) => void };

  constructor(
    private readonly context: StepContext,
    readonly step: number,
    update: { samples: number; learningRate: number },
  ) {
    this.board = new WorkBoard(context.manifest.shards.length);
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    context.arithmetic.begin({ step, ...update });
  }

  order(session: WorkerSession, shards: readonly number[], generation: number): void {
    const { term, params, manifest } = this.context;
    const nodes = cover(shards, manifest.shards.length);
    session.send({ compute: { term, step: this.step, generation, nodes: [...nodes] } });
    session.sendVector({ term, step: this.step, evaluation: false }, params);
  }

  receive(session: WorkerSession, message: TaskMessage): void {
    if (!('partial' in message)) return;
    const { partial } = message;
    if (partial.term !== this.context.term || partial.step !== this.step) return;
    const node = this.#check(session, partial);
    if (partial.chunk === 0) for (const report of partial.reports) this.#addReport(session, report);
    this.context.arithmetic.addChunk(this.step, node, partial.chunk, partial.data);
    if (partial.chunk < partial.chunks - 1) return;
    this.contributors.add(session.workerId);
    for (let shard = node.first; shard < node.first + node.count; shard++) this.board.finish(shard);
  }

  /** Called with the arithmetic thread's verdict on this step. */
  settle(outcome: StepOutcome): void {
    if (outcome.step !== this.step) return;
    if (outcome.kind === 'nonFinite') return this.#settle.reject(this.#nonFinite(outcome.shards));
    this.outcome = outcome;
    this.#settle.resolve();
  }

  #check(session: WorkerSession, partial: Partial): { first: number; count: number } {
    const { manifest } = this.context;
    const node = partial.node;
    if (!node || !isNode(node, manifest.shards.length)) {
      throw badMessage(session, `a node of the tree over ${manifest.shards.length} shards`, JSON.stringify(node));
    }
    checkChunk(manifest.parameterCount, partial, `partial of step ${this.step} from ${session.workerId}`);
    if (partial.chunk === 0 && partial.reports.map((r) => r.shard).join() !== shardsOf(node).join()) {
      throw badMessage(session, `reports of shards ${shardsOf(node).join()}`, partial.reports.map((r) => r.shard).join());
    }
    return node;
  }

  #addReport(session: WorkerSession, report: ShardReport): void {
    const { manifest, plan } = this.context;
    const samples = samplesInStep(plan, report.shard, epochOf(plan, this.step).stepInEpoch).count;
    if (report.samples !== samples || report.correct > samples) {
      throw badMessage(session, `${samples} samples of shard ${report.shard}`, `${report.samples}`);
    }
    if (report.statistics.byteLength !== manifest.stateCount * 4) {
      throw badMessage(session, `${manifest.stateCount * 4} bytes of statistics`, `${report.statistics.byteLength}`);
    }
    this.context.arithmetic.addOutcome(this.step, {
      shard: report.shard,
      samples,
      lossSum: report.lossSum,
      correct: report.correct,
      statistics: new Float32Array(Uint8Array.from(report.statistics).buffer),
    });
  }

  #nonFinite(shards: readonly number[]): ClusterError {
    const where = shards.length > 0 ? `shard(s) ${shards.join(', ')}` : 'the gradient';
    return new ClusterError(
      'NON_FINITE',
      `step ${this.step}: expected finite loss and gradients, got NaN or infinity in ${where}; ` +
        'parameters are those before the step; lower the learning rate or lengthen the warm-up',
    );
  }
}

function shardsOf(node: { first: number; count: number }): number[] {
  return Array.from({ length: node.count }, (_, i) => node.first + i);
}

function badMessage(session: WorkerSession, expected: string, got: string): ClusterError {
  return new ClusterError('BAD_MESSAGE', `partial from ${session.workerId}: expected ${expected}, got ${got}`);
}

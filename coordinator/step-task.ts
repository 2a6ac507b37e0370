import { checkChunk } from '../proto/chunks.js';
import { ClusterError } from '../proto/errors.js';
import type { Partial, ShardReport } from '../proto/messages.js';
import type { JobManifest } from '../job/manifest.js';
import { epochOf, samplesInStep, type StepPlan } from '../job/plan.js';
import { cover, isNode, nodeKey, type TreeNode } from '../job/tree.js';
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
  /** What each worker is to send next: a node's chunks follow each other, so the last one says that all are there. */
  readonly #nextChunk = new WeakMap<WorkerSession, { key: string; chunk: number }>();
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
    if (partial.chunk === 0) for (const report of partial.reports) this.#addReport(report);
    this.context.arithmetic.addChunk(this.step, node, partial.chunk, partial.data);
    const isLast = partial.chunk === partial.chunks - 1;
    this.#nextChunk.set(session, { key: nodeKey(node), chunk: isLast ? 0 : partial.chunk + 1 });
    if (!isLast) return;
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

  #check(session: WorkerSession, partial: Partial): TreeNode {
    const { manifest } = this.context;
    const node = partial.node;
    if (!node || !isNode(node, manifest.shards.length)) {
      throw badMessage(session, `a node of the tree over ${manifest.shards.length} shards`, JSON.stringify(node));
    }
    checkChunk(manifest.parameterCount, partial, `partial of step ${this.step} from ${session.workerId}`);
    const next = this.#nextChunk.get(session);
    const expected = next?.key === nodeKey(node) ? next.chunk : 0;
    if (partial.chunk !== expected) {
      throw badMessage(session, `chunk ${expected} of node ${nodeKey(node)}`, `chunk ${partial.chunk}`);
    }
    if (partial.chunk === 0) this.#checkReports(session, node, partial.reports);
    return node;
  }

  #checkReports(session: WorkerSession, node: TreeNode, reports: readonly ShardReport[]): void {
    const shards = reports.map((report) => report.shard).join();
    if (shards !== shardsOf(node).join())
      throw badMessage(session, `reports of shards ${shardsOf(node).join()}`, shards);
    const { manifest, plan } = this.context;
    const { stepInEpoch } = epochOf(plan, this.step);
    for (const { shard, samples, correct, statistics } of reports) {
      const wanted = samplesInStep(plan, shard, stepInEpoch).count;
      if (samples !== wanted) throw badMessage(session, `${wanted} samples of shard ${shard}`, `${samples}`);
      if (correct > samples) throw badMessage(session, `at most ${samples} correct of shard ${shard}`, `${correct}`);
      if (statistics.byteLength !== manifest.stateCount * 4) {
        throw badMessage(session, `${manifest.stateCount * 4} bytes of statistics`, `${statistics.byteLength}`);
      }
    }
  }

  #addReport({ shard, samples, lossSum, correct, statistics }: ShardReport): void {
    this.context.arithmetic.addOutcome(this.step, {
      shard,
      samples,
      lossSum,
      correct,
      statistics: new Float32Array(Uint8Array.from(statistics).buffer),
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

function shardsOf(node: TreeNode): number[] {
  return Array.from({ length: node.count }, (_, i) => node.first + i);
}

function badMessage(session: WorkerSession, expected: string, got: string): ClusterError {
  return new ClusterError('BAD_MESSAGE', `partial from ${session.workerId}: expected ${expected}, got ${got}`);
}

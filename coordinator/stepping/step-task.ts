import { checkChunk } from '../../proto/chunks.js';
import { ClusterError } from '../../proto/errors.js';
import type { Partial, ShardReport } from '../../proto/messages.js';
import type { JobManifest } from '../../job/manifest.js';
import type { StepPlan } from '../../job/plan.js';
import { cover, nodeKey, type TreeNode } from '../../job/tree.js';
import type { StepOutcome } from './reduction/accumulator.js';
import type { Arithmetic } from './reduction/arithmetic.js';
import { checkPartial } from './check-partial.js';
import type { MissingNode } from './decisions/stragglers.js';
import { shardsIn } from './decisions/waiting.js';
import type { NumericsCheck } from './numerics-check.js';
import { OutgoingVector } from '../../transport/outgoing-vector.js';
import type { WorkerSession } from '../membership/session.js';
import { StepClock } from './step-clock.js';
import type { StepTiming } from './step-timing.js';
import type { ItemNeeds, StepWork, TaskMessage } from './task.js';
import { WorkBoard } from './work-board.js';

export interface StepContext {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly term: number;
  /** Shared with the arithmetic, which changes it between steps only. */
  readonly params: Float32Array;
  readonly arithmetic: Arithmetic;
  readonly numerics: NumericsCheck;
}

/** A result on its way in: a node's chunks follow each other, so the last one says that all are there. */
interface Delivery {
  readonly key: string;
  readonly isAudit: boolean;
  nextChunk: number;
}

/** One step: parameters out to the workers, gradient partials in to the arithmetic, until the update is made. */
export class StepTask implements StepWork {
  readonly kind = 'step';
  readonly board: WorkBoard;
  readonly done: Promise<void>;
  /** Who delivered each shard's gradient. */
  readonly deliveredBy = new Map<number, string>();
  outcome: StepOutcome | undefined;
  readonly #deliveries = new WeakMap<WorkerSession, Delivery>();
  /** Reports of audited shards: without them there is no update. */
  readonly #withheld = new Map<number, ShardReport>();
  readonly #vector: OutgoingVector;
  readonly #clock: StepClock;
  #settle!: () => void;

  constructor(
    private readonly context: StepContext,
    readonly step: number,
    update: { samples: number; learningRate: number },
    readonly audited: readonly number[] = [],
  ) {
    this.#clock = new StepClock(step);
    this.board = new WorkBoard(context.manifest.shards.length + audited.length);
    this.done = new Promise((resolve) => (this.#settle = resolve));
    this.#vector = new OutgoingVector({ term: context.term, step, evaluation: false }, context.params);
    context.numerics.begin(step);
    for (const first of audited) context.numerics.watch(step, { first, count: 1 });
    context.arithmetic.begin({ step, ...update });
  }

  needs(item: number): ItemNeeds {
    const shard = this.#auditedShard(item);
    if (shard === undefined) return { shard: item };
    const by = this.deliveredBy.get(shard) ?? this.board.workersOf(shard)[0];
    return { shard, audits: { item: shard, by } };
  }

  /** Audited shards are ordered as single leaves, so that both results are of the same node. */
  order(session: WorkerSession, items: readonly number[], generation: number, wide: number): void {
    const { shards } = this.context.manifest;
    const single = items
      .map((item) => this.#auditedShard(item) ?? item)
      .filter((shard) => this.audited.includes(shard));
    const plain = items.filter((item) => item < shards.length && !this.audited.includes(item));
    const nodes = [...cover(plain, shards.length), ...single.map((shard) => ({ first: shard, count: 1 }))];
    this.#send(session, nodes, generation, wide);
  }

  /** Dispatches a node to one more worker; the others still compute it. */
  orderAlso(session: WorkerSession, { node, items }: Pick<MissingNode, 'node' | 'items'>, generation: number): void {
    this.context.numerics.watch(this.step, node);
    this.board.order(items, session.workerId);
    this.#send(session, [node], generation, 0);
  }

  receive(session: WorkerSession, message: TaskMessage): void {
    if (!('partial' in message)) return;
    const { partial } = message;
    if (partial.term !== this.context.term) return;
    if (partial.step === this.step) this.#take(session, partial);
    else if (partial.step === this.step - 1 && partial.node) this.#compareLate(session.workerId, partial);
  }

  missingNodes(): MissingNode[] {
    const plain = new Map<string, { workerIds: readonly string[]; shards: number[] }>();
    const single: MissingNode[] = [];
    for (const { item, workerIds } of this.board.missing()) {
      const first = this.#auditedShard(item) ?? item;
      if (this.audited.includes(first)) {
        single.push({ node: { first, count: 1 }, items: [item], workerIds });
        continue;
      }
      const key = JSON.stringify(workerIds);
      const group = plain.get(key) ?? { workerIds, shards: [] };
      plain.set(key, { workerIds, shards: [...group.shards, item] });
    }
    const nodes = [...plain.values()].flatMap(({ workerIds, shards }) =>
      cover(shards, this.context.manifest.shards.length).map((node) => ({ node, items: shardsIn([node]), workerIds })),
    );
    return [...nodes, ...single];
  }

  isSending(session: WorkerSession): boolean {
    return this.#deliveries.has(session);
  }

  /** Called with the arithmetic's verdict on this step. */
  settle(outcome: StepOutcome): void {
    if (outcome.step !== this.step) return;
    this.outcome = outcome;
    this.#clock.end();
    this.#settle();
  }

  /** Where the step's time went; undefined until it is settled. */
  get timing(): StepTiming | undefined {
    return this.outcome && this.#clock.timing(this.outcome.times);
  }

  #send(session: WorkerSession, nodes: readonly TreeNode[], generation: number, wide: number): void {
    const { term } = this.context;
    const sentMs = this.#clock.ordered(session.workerId);
    session.order({ term, step: this.step, generation, nodes: [...nodes], wide, sentMs }, this.#vector);
    this.#clock.written(session.workerId);
  }

  #take(session: WorkerSession, partial: Partial): void {
    const { manifest, plan, numerics, arithmetic } = this.context;
    const { workerId } = session;
    const node = checkPartial({ manifest, plan, step: this.step, workerId }, partial);
    const delivery = this.#deliveryOf(session, node, partial.chunk);
    this.#clock.arrived(session, node, partial);
    numerics.receive(workerId, partial);
    if (!delivery.isAudit) {
      if (partial.chunk === 0) for (const report of partial.reports) this.#addReport(report);
      arithmetic.addChunk(this.step, node, partial.chunk, partial.data);
    }
    delivery.nextChunk++;
    if (delivery.nextChunk < partial.chunks) return;
    this.#deliveries.delete(session);
    session.stepMs = this.#clock.workerMs(workerId);
    this.#finish(workerId, node, delivery.isAudit);
  }

  /** Takes a result that came after its step: nothing is added, but its bits may be looked at. */
  #compareLate(workerId: string, partial: Partial): void {
    const { manifest, numerics } = this.context;
    checkChunk(manifest.parameterCount, partial, `partial of step ${partial.step} from ${workerId}`);
    numerics.receive(workerId, partial);
  }

  /** @throws ClusterError BAD_CHUNK when the chunk is not the one that comes next. */
  #deliveryOf(session: WorkerSession, node: TreeNode, chunk: number): Delivery {
    const key = nodeKey(node);
    const current = this.#deliveries.get(session);
    const expected = current?.key === key ? current.nextChunk : 0;
    if (chunk !== expected) {
      throw new ClusterError(
        'BAD_CHUNK',
        `partial from ${session.workerId}: expected chunk ${expected} of node ${key} next, got chunk ${chunk}; ` +
          'the session begins anew',
      );
    }
    if (current && chunk > 0) return current;
    const delivery = { key, isAudit: this.#isAudit(session.workerId, node), nextChunk: 0 };
    this.#deliveries.set(session, delivery);
    return delivery;
  }

  /** Whether a node is a shard's second computation; a worker that does both delivers the first one first. */
  #isAudit(workerId: string, { first, count }: TreeNode): boolean {
    const item = this.context.manifest.shards.length + this.audited.indexOf(first);
    if (count !== 1 || !this.audited.includes(first) || !this.board.workersOf(item).includes(workerId)) return false;
    return this.board.isDone(first) || !this.board.workersOf(first).includes(workerId);
  }

  #finish(workerId: string, node: TreeNode, isAudit: boolean): void {
    if (isAudit) this.board.finish(this.context.manifest.shards.length + this.audited.indexOf(node.first));
    for (const shard of isAudit ? [] : shardsIn([node])) {
      if (this.board.finish(shard)) this.deliveredBy.set(shard, workerId);
    }
    this.#releaseReports();
  }

  #addReport(report: ShardReport): void {
    if (this.audited.includes(report.shard)) this.#withheld.set(report.shard, report);
    else this.#passOn(report);
  }

  /** Passes on the reports of audited shards whose two results are there. */
  #releaseReports(): void {
    const { shards } = this.context.manifest;
    for (const [shard, report] of this.#withheld) {
      const second = shards.length + this.audited.indexOf(shard);
      if (!this.board.isDone(shard) || !this.board.isDone(second)) continue;
      this.#withheld.delete(shard);
      this.#passOn(report);
    }
  }

  #passOn({ shard, samples, lossSum, correct, statistics }: ShardReport): void {
    this.context.arithmetic.addOutcome(this.step, {
      shard,
      samples,
      lossSum,
      correct,
      statistics: new Float32Array(Uint8Array.from(statistics).buffer),
    });
  }

  /** The shard that an item computes a second time; undefined for the shards themselves. */
  #auditedShard(item: number): number | undefined {
    return this.audited[item - this.context.manifest.shards.length];
  }
}

/** What is wrong with a step that came to NaN or infinity. */
export function nonFiniteError(
  task: StepTask,
  shards: readonly number[],
  lastCheckpoint: string | undefined,
): ClusterError {
  const workers = [...new Set(shards.map((shard) => task.deliveredBy.get(shard) ?? 'a worker that is gone'))];
  const where = shards.length > 0 ? `shard(s) ${shards.join(', ')} from ${workers.join(', ')}` : 'their sum';
  const saved = lastCheckpoint === undefined ? '' : `; last good checkpoint: ${lastCheckpoint}`;
  return new ClusterError(
    'NON_FINITE',
    `step ${task.step}: expected finite loss and gradients, got NaN or infinity in ${where}; ` +
      `parameters are those before the step${saved}; ` +
      'lower the learning rate, lengthen the warm-up, or set onNonFinite: skip',
  );
}

import type { JobManifest } from '../../job/manifest.js';
import type { StepPlan } from '../../job/plan.js';
import { cover, nodeKey, type TreeNode } from '../../job/tree.js';
import { ClusterError } from '../../proto/errors.js';
import type { ShardReport } from '../../proto/messages.js';
import type { StepTiming } from '../state/step-timing.js';
import { checkPartial, type PartialHeader } from './check-partial.js';
import type { ItemNeeds } from './decisions/owners.js';
import type { MissingNode } from './decisions/stragglers.js';
import { shardsIn } from './decisions/waiting.js';
import type { StepOutcome, StepUpdate } from './reduction/accumulator.js';
import { StepClock } from './step-clock.js';
import { WorkBoard } from './work-board.js';

export interface StepTaskOptions {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly update: StepUpdate;
  /** Shards that two workers compute. */
  readonly audited?: readonly number[];
}

/** A partial that is being received. Its chunks arrive in order, so the last one completes it. */
interface Delivery {
  readonly key: string;
  readonly isAudit: boolean;
  nextChunk: number;
}

/** Effect of one chunk of a partial. */
export interface Accepted {
  readonly node: TreeNode;
  /** The partial repeats another one and isn't added. */
  readonly isAudit: boolean;
  /** The chunk completes the partial. */
  readonly isLast: boolean;
  /** Reports that now count: those of this partial, or of audited shards with two results. */
  readonly reports: readonly ShardReport[];
}

/**
 * Bookkeeping of one step: which nodes to compute, which results have arrived from whom, and when. Sends nothing.
 *
 * Its items are the shards, followed by the second computations of the audited ones.
 */
export class StepTask {
  readonly kind = 'step';
  readonly step: number;
  readonly update: StepUpdate;
  /** Item `shards + i` is the second computation of the i-th of them. */
  readonly audited: readonly number[];
  readonly board: WorkBoard;
  readonly clock: StepClock;
  /** Settles with `outcome`. */
  readonly done: Promise<void>;
  outcome: StepOutcome | undefined;
  /** Worker that delivered each shard's gradient. */
  readonly deliveredBy = new Map<number, string>();
  readonly #shards: number;
  /** Partials being received, by the session that sends them. */
  readonly #deliveries = new WeakMap<object, Delivery>();
  /** Reports of audited shards, which count once both results have arrived. */
  readonly #withheld = new Map<number, ShardReport>();
  #settle!: () => void;

  constructor(private readonly options: StepTaskOptions) {
    const { manifest, update, audited = [] } = options;
    this.update = update;
    this.step = update.step;
    this.audited = audited;
    this.#shards = manifest.shards.length;
    this.board = new WorkBoard(this.#shards + audited.length);
    this.clock = new StepClock(update.step);
    this.done = new Promise((resolve) => (this.#settle = resolve));
  }

  needs(item: number): ItemNeeds {
    const shard = this.#auditedShard(item);
    if (shard === undefined) return { shard: item };
    const by = this.deliveredBy.get(shard) ?? this.board.workersOf(shard)[0];
    return { shard, audits: { item: shard, by } };
  }

  /** Nodes that cover `items`. Audited shards are single leaves, so that both results are of the same node. */
  nodesOf(items: readonly number[]): TreeNode[] {
    const single = items
      .map((item) => this.#auditedShard(item) ?? item)
      .filter((shard) => this.audited.includes(shard));
    const plain = items.filter((item) => item < this.#shards && !this.audited.includes(item));
    return [...cover(plain, this.#shards), ...single.map((shard) => ({ first: shard, count: 1 }))];
  }

  /** Nodes that have not arrived, with the workers that they were dispatched to. */
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
      cover(shards, this.#shards).map((node) => ({ node, items: shardsIn([node]), workerIds })),
    );
    return [...nodes, ...single];
  }

  /** True while a partial from this session has begun and isn't complete. */
  isSending(session: object): boolean {
    return this.#deliveries.has(session);
  }

  /**
   * Records one chunk of a partial of this step.
   * @throws ClusterError BAD_MESSAGE if it doesn't fit the job, BAD_CHUNK if it isn't the next one; the state is then
   *   unchanged.
   */
  accept(session: { readonly workerId: string }, partial: PartialHeader): Accepted {
    const { workerId } = session;
    const node = checkPartial({ ...this.options, step: this.step, workerId }, partial);
    const delivery = this.#deliveryOf(session, node, partial.chunk);
    const { isAudit } = delivery;
    const isLast = ++delivery.nextChunk === partial.chunks;
    const reports = isAudit || partial.chunk > 0 ? [] : this.#countable(partial.reports);
    if (!isLast) return { node, isAudit, isLast, reports };
    this.#deliveries.delete(session);
    this.#finish(workerId, node, isAudit);
    return { node, isAudit, isLast, reports: [...reports, ...this.#released()] };
  }

  /** Ends the step with the arithmetic's outcome. */
  settle(outcome: StepOutcome): void {
    if (outcome.step !== this.step) return;
    this.outcome = outcome;
    this.clock.end();
    this.#settle();
  }

  /** Timing of the step; undefined until it is settled. */
  get timing(): StepTiming | undefined {
    return this.outcome && this.clock.timing(this.outcome.times);
  }

  /** @throws ClusterError BAD_CHUNK when the chunk is not the one that comes next. */
  #deliveryOf(session: { readonly workerId: string }, node: TreeNode, chunk: number): Delivery {
    const key = nodeKey(node);
    const current = this.#deliveries.get(session);
    const expected = current?.key === key ? current.nextChunk : 0;
    if (chunk !== expected) {
      throw new ClusterError(
        'BAD_CHUNK',
        `partial from ${session.workerId}: expected chunk ${expected} of node ${key} next, got chunk ${chunk}; ` +
          'the worker must join again',
      );
    }
    if (current && chunk > 0) return current;
    const delivery = { key, isAudit: this.#isAudit(session.workerId, node), nextChunk: 0 };
    this.#deliveries.set(session, delivery);
    return delivery;
  }

  /** True for a shard's second computation. A worker that computes both delivers the first one first. */
  #isAudit(workerId: string, { first, count }: TreeNode): boolean {
    const item = this.#auditOf(first);
    if (count !== 1 || item === undefined || !this.board.workersOf(item).includes(workerId)) return false;
    return this.board.isDone(first) || !this.board.workersOf(first).includes(workerId);
  }

  #finish(workerId: string, node: TreeNode, isAudit: boolean): void {
    if (isAudit) this.board.finish(this.#auditOf(node.first)!);
    for (const shard of isAudit ? [] : shardsIn([node])) {
      if (this.board.finish(shard)) this.deliveredBy.set(shard, workerId);
    }
  }

  /** Withholds reports of audited shards. @returns the others. */
  #countable(reports: readonly ShardReport[]): ShardReport[] {
    const isAudited = ({ shard }: ShardReport) => this.audited.includes(shard);
    for (const report of reports.filter(isAudited)) this.#withheld.set(report.shard, report);
    return reports.filter((report) => !isAudited(report));
  }

  /** Takes the withheld reports of shards whose two results have arrived. */
  #released(): ShardReport[] {
    const isComplete = (shard: number) => this.board.isDone(shard) && this.board.isDone(this.#auditOf(shard)!);
    const released = [...this.#withheld.values()].filter(({ shard }) => isComplete(shard));
    for (const { shard } of released) this.#withheld.delete(shard);
    return released;
  }

  /** Shard that an item computes a second time; undefined for the shards themselves. */
  #auditedShard(item: number): number | undefined {
    return this.audited[item - this.#shards];
  }

  /** Item that computes a shard a second time. */
  #auditOf(shard: number): number | undefined {
    const index = this.audited.indexOf(shard);
    return index < 0 ? undefined : this.#shards + index;
  }
}

/** Error of a step whose loss or gradients are NaN or infinite. */
export function nonFiniteError(
  task: Pick<StepTask, 'step' | 'deliveredBy'>,
  shards: readonly number[],
  lastCheckpoint: string | undefined,
): ClusterError {
  const workers = [...new Set(shards.map((shard) => task.deliveredBy.get(shard) ?? 'a worker that has left'))];
  const where =
    shards.length > 0
      ? `shard${shards.length === 1 ? '' : 's'} ${shards.join(', ')} from ${workers.join(', ')}`
      : 'their sum';
  const saved = lastCheckpoint === undefined ? '' : `; last good checkpoint: ${lastCheckpoint}`;
  return new ClusterError(
    'NON_FINITE',
    `step ${task.step}: expected finite loss and gradients, got NaN or infinity in ${where}; ` +
      `parameters are those before the step${saved}; ` +
      'lower the learning rate, lengthen the warm-up, or set onNonFinite: skip',
  );
}

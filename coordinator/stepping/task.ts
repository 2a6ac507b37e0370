import type { EvaluationRows, Partial } from '../../proto/messages.js';
import type { OpenItem } from './decisions/owners.js';
import type { MissingNode } from './decisions/stragglers.js';
import type { WorkerSession } from '../membership/session.js';
import type { WorkBoard } from './work-board.js';

/** The test batch or the shard whose data an item needs, and the item whose computation it repeats, if any. */
export type ItemNeeds = { readonly batch: number } | { readonly shard: number; readonly audits?: OpenItem['audits'] };

/** A step or an evaluation. Its items are dispatched to workers, and again if one is lost. */
interface AnyTask {
  readonly board: WorkBoard;
  needs(item: number): ItemNeeds;
  /**
   * Sends orders for `items`, and the vector they are computed from.
   * @param wide - how many of the shards, the last ones, may be computed with more threads; see `decideWide`.
   */
  order(session: WorkerSession, items: readonly number[], generation: number, wide: number): void;
  /** @throws ClusterError BAD_MESSAGE when the message does not fit the job; nothing has changed then. */
  receive(session: WorkerSession, message: TaskMessage): void;
  /** Settles when every item is delivered and worked in. */
  readonly done: Promise<void>;
}

/** One step. Its items are the shards, and after them those that are computed a second time. */
export interface StepWork extends AnyTask {
  readonly kind: 'step';
  readonly step: number;
  /** Shards that are computed twice; item `shards + i` is the second computation of the i-th of them. */
  readonly audited: readonly number[];
  /** Who delivered each shard's gradient so far. */
  readonly deliveredBy: ReadonlyMap<number, string>;
  /** Nodes that have not arrived, and whom they were ordered from. */
  missingNodes(): MissingNode[];
  /** Whether a part of a result of this worker's has arrived, and the rest has not. */
  isSending(session: WorkerSession): boolean;
  /** Dispatches a slow worker's node to `session` as well. */
  orderAlso(session: WorkerSession, missing: Pick<MissingNode, 'node' | 'items'>, generation: number): void;
}

/** One evaluation. Its items are the batches of the test set. */
export interface EvaluationWork extends AnyTask {
  readonly kind: 'evaluation';
}

export type Task = StepWork | EvaluationWork;

export type TaskMessage = { readonly partial: Partial } | { readonly rows: EvaluationRows };

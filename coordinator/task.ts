import type { Partial, EvaluationRows } from '../proto/messages.js';
import type { WorkerSession } from './session.js';
import type { WorkBoard } from './work-board.js';

/** What the workers have in hand: one step, or one evaluation. Its items go to workers, and again if one is lost. */
export interface Task {
  readonly kind: 'step' | 'evaluation';
  readonly board: WorkBoard;
  /** Sends orders for `items`, and the vector they are computed from. */
  order(session: WorkerSession, items: readonly number[], generation: number): void;
  /** @throws ClusterError BAD_MESSAGE when the message does not fit the job; nothing has changed then. */
  receive(session: WorkerSession, message: TaskMessage): void;
  /** Settles when every item is delivered and worked in. */
  readonly done: Promise<void>;
}

export type TaskMessage = { readonly partial: Partial } | { readonly rows: EvaluationRows };

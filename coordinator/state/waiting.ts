/** Current activity of a worker in a step. */
export type Phase = 'receiving' | 'computing' | 'sending';

/** Shards that a worker has not delivered to the current step yet. */
export interface Owed {
  readonly workerId: string;
  readonly shards: readonly number[];
  readonly phase: Phase;
}

/** Workers holding up an overdue step. */
export interface Waiting {
  readonly step: number;
  readonly workers: readonly Owed[];
  /** Time since the step began. */
  readonly seconds: number;
  readonly reason: string;
}

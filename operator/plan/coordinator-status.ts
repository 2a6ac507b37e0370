/** Fields of a coordinator's status that plans use, each bounded in size. */

export const coordinatorStates = [
  'waiting',
  'training',
  'paused',
  'evaluating',
  'reporting',
  'finished',
  'stopped',
  'failed',
] as const;

/** Counts are integers from 0 to 2^53 - 1. Texts are well-formed Unicode without control characters. */
export interface CoordinatorStatus {
  readonly state: (typeof coordinatorStates)[number];
  /** At most 300 characters. */
  readonly reason: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly epochs: number;
  /** Mean of the last 10 steps; NaN and infinite for a run that diverged. Undefined before the first step. */
  readonly lossMean: number | undefined;
  readonly imagesPerSecond: number;
  /** From 0 to 10^9; 0 when unknown. */
  readonly secondsLeft: number;
  /** Epoch of the last evaluation; 0 before the first. */
  readonly testEpoch: number;
  /** From 0 to 1. */
  readonly testAccuracy: number;
  /** 64 hexadecimal digits; empty before the first epoch's end. */
  readonly digest: string;
  readonly digestEpoch: number;
  /** 64 hexadecimal digits; empty before the first step. */
  readonly fingerprint: string;
  /** At most 253 characters; empty before the first step. */
  readonly device: string;
  readonly workers: number;
  /** Workers that have compiled their programs. */
  readonly readyWorkers: number;
}

const ends: readonly string[] = ['finished', 'stopped', 'failed'];

/** True for a final state. */
export function isEndState(state: string): boolean {
  return ends.includes(state);
}

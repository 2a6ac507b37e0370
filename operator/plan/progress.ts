import type { TrainingJobStatus } from '../resource/status.js';
import type { FinalResult } from './attempts.js';
import type { CoordinatorStatus } from './coordinator-status.js';
import { formatSpan, timeMs, timeText } from './time.js';

/** Progress fields of a job's status. */

const progressFields = [
  'progressTime',
  'epoch',
  'epochs',
  'step',
  'totalSteps',
  'progress',
  'eta',
  'loss',
  'accuracy',
  'imagesPerSecond',
  'digest',
  'digestEpoch',
  'fingerprint',
  'device',
] as const;
export type Progress = Pick<TrainingJobStatus, (typeof progressFields)[number]>;

/** Minimum time between updates of progress: each costs the API server a write. */
export const progressEveryMs = 5_000;

export function progressOf(status: TrainingJobStatus | undefined): Progress {
  const entries = progressFields.map((field) => [field, status?.[field]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

export interface ProgressOptions {
  readonly nowMs: number;
  /** Update immediately, because the state has changed. */
  readonly urgent: boolean;
  /** True while training; otherwise rate and ETA are cleared. */
  readonly moving: boolean;
}

/**
 * New progress from the coordinator's answer, or the previous progress if an update isn't due.
 * @param before - current progress in the status.
 */
export function decideProgress(
  before: Progress,
  reply: CoordinatorStatus | undefined,
  { nowMs, urgent, moving }: ProgressOptions,
): Progress {
  const dueMs = (timeMs(before.progressTime) ?? -Infinity) + progressEveryMs;
  if (!urgent && nowMs < dueMs) return before;
  const next = { ...before, ...(reply === undefined ? {} : describe(reply)) };
  if (!moving || !(reply && reply.secondsLeft > 0)) delete next.eta;
  if (!moving && next.imagesPerSecond !== undefined) next.imagesPerSecond = 0;
  const isSame = progressFields.every((field) => field === 'progressTime' || next[field] === before[field]);
  return isSame ? before : { ...next, progressTime: timeText(nowMs) };
}

function describe(reply: CoordinatorStatus): Progress {
  const { step, totalSteps, lossMean, testEpoch, testAccuracy, digest, digestEpoch, secondsLeft } = reply;
  return {
    epoch: reply.epoch,
    epochs: reply.epochs,
    step,
    totalSteps,
    progress: formatProgress(step, totalSteps),
    ...(secondsLeft > 0 ? { eta: formatSpan(secondsLeft) } : {}),
    ...(lossMean === undefined ? {} : { loss: formatLoss(lossMean) }),
    ...(testEpoch > 0 ? { accuracy: formatShare(testAccuracy) } : {}),
    imagesPerSecond: reply.imagesPerSecond,
    ...(digestEpoch > 0 ? { digest, digestEpoch } : {}),
    ...(reply.fingerprint === '' ? {} : { fingerprint: reply.fingerprint }),
    ...(reply.device === '' ? {} : { device: reply.device }),
  };
}

/** Progress at the end of a finished run: all steps done. */
export function finalProgress(before: Progress, finalResult: FinalResult | undefined, nowMs: number): Progress {
  const { epochs, totalSteps } = before;
  const final: Progress = {
    ...before,
    ...(epochs === undefined ? {} : { epoch: epochs }),
    ...(totalSteps === undefined ? {} : { step: totalSteps }),
    progress: '100 %',
    imagesPerSecond: 0,
    ...(finalResult === undefined ? {} : describeFinalResult(finalResult)),
    progressTime: timeText(nowMs),
  };
  delete final.eta;
  return final;
}

function describeFinalResult({ step, epoch, digest, loss, accuracy, ...engine }: FinalResult): Progress {
  return {
    epoch,
    epochs: epoch,
    step,
    totalSteps: step,
    digest,
    digestEpoch: epoch,
    ...(loss === undefined ? {} : { loss: formatLoss(loss) }),
    ...(accuracy === undefined ? {} : { accuracy: formatShare(accuracy) }),
    ...(engine.fingerprint === undefined ? {} : { fingerprint: engine.fingerprint }),
    ...(engine.device === undefined ? {} : { device: engine.device }),
  };
}

/** Rounded down, so 100 % means that all steps are done. */
function formatProgress(step: number, totalSteps: number): string {
  return totalSteps === 0 ? '0 %' : `${Math.min(100, Math.floor((100 * step) / totalSteps))} %`;
}

function formatLoss(loss: number): string {
  return Math.abs(loss) < 1e9 ? loss.toFixed(4) : String(loss);
}

function formatShare(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

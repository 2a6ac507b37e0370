import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { StatusReply } from '../../proto/messages.js';
import type { JobManifest } from '../../job/manifest.js';
import { epochInProgress, type StepPlan } from '../../job/plan.js';
import type { Waiting } from './waiting.js';
import { isEnd } from './events.js';
import type { LiveStatus, RunDescription, RunUpdate, WorkerRow } from './feed.js';
import { beginning, type Cursor, type RunHistory } from './history.js';
import { paceSteps, type StepMeans } from './recent-steps.js';

/** Id that distinguishes this process's cursors from those of other starts and runs on the same port. */
export function newBootId(): string {
  return randomBytes(6).toString('hex');
}

/** A cursor in a request: `Last-Event-ID`, or `after`. */
export const cursorSchema = z
  .string()
  .max(64)
  .regex(/^[0-9a-f]{12}\.\d{1,12}\.\d{1,12}$/);

/** Input of an update. */
export interface UpdateSource {
  readonly boot: string;
  readonly plan: StepPlan;
  readonly history: RunHistory;
  readonly status: StatusReply;
  readonly report: boolean;
}

/** Parses a client's cursor. @returns undefined if it comes from another process or is ahead of this one. */
export function readCursor(text: string, boot: string, now: Cursor): Cursor | undefined {
  const [of, step, version] = text.split('.');
  const cursor = { step: Number(step), version: Number(version) };
  return of === boot && cursor.step <= now.step && cursor.version <= now.version ? cursor : undefined;
}

/** Changes after `cursor`; without one, everything. */
export function describeUpdate(source: UpdateSource, cursor: Cursor | undefined): RunUpdate {
  const { boot, history } = source;
  const { step, version } = history.cursor;
  const { confusion, ...changes } = history.since(cursor ?? beginning);
  return {
    cursor: `${boot}.${step}.${version}`,
    whole: cursor === undefined,
    status: describeLive(source),
    ...changes,
    ...(confusion && { confusion }),
    hasPictures: history.predictions !== undefined,
  };
}

function describeLive({ plan, history, status, report }: UpdateSource): LiveStatus {
  const { curves, pace, state, waiting } = history;
  const { steps, last } = curves;
  const means = curves.means && describeMeans(curves.means);
  const stepMs = pace.means(paceSteps)?.stepMs;
  const isRunning = state.state !== 'reporting' && !isEnd(state.state);
  return {
    state: state.state,
    reason: waiting?.reason ?? state.reason,
    step: steps,
    epoch: epochInProgress(plan, steps),
    ...(means && { means }),
    ...(last && { learningRate: last.learningRate }),
    ...(stepMs !== undefined && isRunning && { secondsLeft: ((plan.totalSteps - steps) * stepMs) / 1000 }),
    faults: status.faults,
    skipped: status.skipped,
    workers: status.workers.map((worker): WorkerRow => {
      const waitedFor = describeWait(worker.workerId, waiting);
      return waitedFor === undefined ? worker : { ...worker, waitedFor };
    }),
    report,
  };
}

function describeMeans({ loss, accuracy, imagesPerSecond }: StepMeans) {
  return { loss, accuracy, imagesPerSecond };
}

function describeWait(workerId: string, waiting: Waiting | undefined): string | undefined {
  const owed = waiting?.workers.find((worker) => worker.workerId === workerId);
  return owed && waiting && `${owed.phase}, for ${waiting.seconds.toFixed(1)} s`;
}

export function describeRun(manifest: JobManifest, plan: StepPlan, path: string): RunDescription {
  const { spec, dataset, parameterCount } = manifest;
  const { title, synthetic, classes, imageShape } = dataset;
  return {
    name: spec.name,
    model: spec.model,
    parameterCount,
    dataset: { title, synthetic, classes, imageShape },
    shards: spec.shards,
    epochs: plan.epochs,
    stepsPerEpoch: plan.stepsPerEpoch,
    totalSteps: plan.totalSteps,
    path: resolve(path),
  };
}

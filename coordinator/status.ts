import { resolve } from 'node:path';
import type { StatusReply, WorkerStatus } from '../proto/messages.js';
import type { JobManifest } from '../job/manifest.js';
import { epochOf, type StepPlan } from '../job/plan.js';
import type { RunProgress } from './observe/progress.js';
import type { Roster } from './roster.js';
import type { WorkerSession } from './session.js';
import type { Trainer } from './trainer.js';

/** What a status is made from. */
export interface StatusSource {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly term: number;
  /** The run directory. */
  readonly path: string;
  readonly trainer: Trainer;
  readonly roster: Roster;
  readonly progress: RunProgress;
}

/** What the coordinator knows of its run right now. */
export function describeStatus(source: StatusSource, nowMs: number): StatusReply {
  const { manifest, term, path, trainer, roster } = source;
  const { waiting, generation } = trainer.dispatcher;
  return {
    job: manifest.spec.name,
    model: manifest.spec.model,
    dataset: manifest.dataset.title,
    synthetic: manifest.dataset.synthetic,
    runDirectory: resolve(path),
    term,
    generation,
    ...describeProgress(source),
    ...trainer.counts,
    waitingFor: (waiting?.workers ?? []).map((owed) => ({ ...owed, shards: [...owed.shards] })),
    workers: roster.sessions.map((session) => describeWorker(session, trainer, nowMs)),
  };
}

function describeProgress({ plan, trainer, progress }: StatusSource) {
  const { step } = trainer;
  const { last, test, digest } = progress;
  return {
    state: progress.state,
    reason: trainer.dispatcher.waiting?.reason ?? progress.reason,
    step,
    totalSteps: plan.totalSteps,
    epoch: Math.min(epochOf(plan, step).epoch + 1, plan.epochs),
    epochs: plan.epochs,
    loss: last?.loss ?? 0,
    lossMean: progress.lossMean,
    learningRate: last?.learningRate ?? 0,
    imagesPerSecond: progress.rateSamplesPerSecond,
    secondsLeft: progress.secondsLeft(step),
    samplesTrained: progress.samplesTrained,
    testAccuracy: test ? test.correct / test.total : 0,
    testLoss: test?.loss ?? 0,
    testEpoch: test?.epoch ?? 0,
    digest: digest?.digest ?? '',
    digestEpoch: digest?.epoch ?? 0,
    checkpointStep: progress.checkpointStep,
  };
}

function describeWorker(session: WorkerSession, trainer: Trainer, nowMs: number): WorkerStatus {
  const shards = [...trainer.dispatcher.assignedTo(session.workerId)];
  const { ready } = session;
  return {
    workerId: session.workerId,
    state: stateOf(session, trainer),
    shards,
    holding: [...session.holding].sort((a, b) => a - b),
    engine: ready === undefined ? '' : `${ready.engineVersion} ${ready.device}`,
    silentMs: nowMs - session.lastHeardMs,
    residentBytes: session.heartbeat?.residentBytes ?? 0,
    stepMs: session.meter.stepMs,
    sentBytes: session.meter.sentBytes,
    receivedBytes: session.meter.receivedBytes,
  };
}

function stateOf({ workerId, ready, heartbeat }: WorkerSession, { dispatcher }: Trainer): string {
  if (ready === undefined) return 'compiling';
  if (dispatcher.isLate(workerId)) return 'late';
  return dispatcher.assignedTo(workerId).length === 0 ? 'standby' : (heartbeat?.phase ?? 'idle');
}

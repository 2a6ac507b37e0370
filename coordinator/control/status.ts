import { resolve } from 'node:path';
import type { Ready, StatusReply, WorkerStatus } from '../../proto/messages.js';
import type { JobManifest } from '../../job/manifest.js';
import { epochInProgress, type StepPlan } from '../../job/plan.js';
import type { EngineAdmission } from '../membership/admission.js';
import type { RunHistory } from '../state/history.js';
import { secondsLeft } from '../state/progress.js';
import type { Roster } from '../membership/roster.js';
import type { WorkerSession } from '../membership/session.js';
import type { Trainer } from '../stepping/trainer.js';

/** Sources of a status. */
export interface StatusSource {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly term: number;
  /** Run directory. */
  readonly path: string;
  readonly trainer: Trainer;
  readonly roster: Roster;
  readonly history: RunHistory;
  readonly admission: EngineAdmission;
}

/** Current status of the run. */
export function describeStatus(source: StatusSource, nowMs: number): StatusReply {
  const { manifest, term, path, trainer, roster, admission } = source;
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
    fingerprint: admission.run?.engine.fingerprint ?? '',
    device: admission.run?.engine.device ?? '',
    waitingFor: (waiting?.workers ?? []).map((owed) => ({ ...owed, shards: [...owed.shards] })),
    workers: roster.sessions.map((session) => describeWorker(session, trainer, nowMs)),
  };
}

function describeProgress({ manifest, plan, trainer, history }: StatusSource) {
  const { step } = trainer;
  const { curves, pace, state, evaluation: test, digest } = history;
  const evaluateEveryEpochs = manifest.spec.evaluation.everyEpochs;
  return {
    state: state.state,
    reason: trainer.dispatcher.waiting?.reason ?? state.reason,
    step,
    totalSteps: plan.totalSteps,
    epoch: epochInProgress(plan, step),
    epochs: plan.epochs,
    loss: curves.last?.loss ?? 0,
    lossMean: curves.recent.means()?.loss ?? 0,
    learningRate: curves.last?.learningRate ?? 0,
    imagesPerSecond: pace.means()?.imagesPerSecond ?? 0,
    secondsLeft: secondsLeft(history, { plan, evaluateEveryEpochs }, step),
    samplesTrained: curves.samples,
    testAccuracy: test ? test.correct / test.total : 0,
    testLoss: test?.loss ?? 0,
    testEpoch: test?.epoch ?? 0,
    digest: digest?.digest ?? '',
    digestEpoch: digest?.epoch ?? 0,
    checkpointStep: history.checkpointStep,
  };
}

function describeWorker(session: WorkerSession, trainer: Trainer, nowMs: number): WorkerStatus {
  const shards = [...trainer.dispatcher.assignedTo(session.workerId)];
  const { ready, traffic } = session;
  return {
    workerId: session.workerId,
    state: stateOf(session, trainer),
    shards,
    holding: [...session.holding].sort((a, b) => a - b),
    engine: ready === undefined ? '' : engineText(ready),
    engineReason: ready?.targetReason ?? '',
    silentMs: nowMs - session.lastHeardMs,
    residentBytes: session.heartbeat?.residentBytes ?? 0,
    stepMs: session.stepMs,
    sentBytes: traffic.sent.parameters + traffic.sent.evaluation,
    receivedBytes: traffic.received.gradients + traffic.received.rows,
  };
}

/** The native engine's instruction set takes the place of its device. */
function engineText({ engineVersion, device, target = '' }: Ready): string {
  return `${engineVersion} ${target === '' ? device : target}`;
}

function stateOf({ workerId, ready, heartbeat }: WorkerSession, { dispatcher }: Trainer): string {
  if (ready === undefined) return 'compiling';
  if (dispatcher.isStraggler(workerId)) return 'late';
  return dispatcher.assignedTo(workerId).length === 0 ? 'standby' : (heartbeat?.phase ?? 'idle');
}

import type { StatusReply, WorkerStatus } from '../proto/messages.js';
import type { JobManifest } from '../job/manifest.js';
import { epochOf, type StepPlan } from '../job/plan.js';
import type { Roster } from './roster.js';
import type { WorkerSession } from './session.js';
import type { Trainer } from './trainer.js';

/** What the coordinator knows of its run right now. */
export function describeStatus(
  { manifest, plan, term }: { manifest: JobManifest; plan: StepPlan; term: number },
  trainer: Trainer,
  roster: Roster,
  nowMs: number,
): StatusReply {
  const { lastRecord: last, lastEvaluation: test, step } = trainer;
  return {
    job: manifest.spec.name,
    state: trainer.state,
    reason: trainer.dispatcher.waiting?.reason ?? trainer.reason,
    step,
    totalSteps: plan.totalSteps,
    epoch: Math.min(epochOf(plan, step).epoch + 1, plan.epochs),
    epochs: plan.epochs,
    loss: last?.loss ?? 0,
    imagesPerSecond: last ? (last.samples / last.durationMs) * 1000 : 0,
    testAccuracy: test ? test.correct / test.total : 0,
    generation: trainer.dispatcher.generation,
    term,
    ...trainer.counts,
    workers: roster.sessions.map((session) => describeWorker(session, trainer, nowMs)),
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

import type { RunEvent } from '../../coordinator/state/events.js';
import { phasesOf, type StepTiming } from '../../coordinator/state/step-timing.js';
import type { Instruments } from './instruments.js';
import type { RecoveryTimer } from './recovery-timer.js';

/** Maximum number of workers remembered between two scrapes. */
const maxWorkers = 1_000;

/** State kept between events. */
export interface MetricsMemory {
  readonly recovery: RecoveryTimer;
  /** Error bounds of the workers' clocks, by worker. */
  readonly clockErrorsMs: Map<string, number>;
}

type Of<Type extends RunEvent['type']> = RunEvent & { readonly type: Type };

/** Counts an event of a run. Values without events are read at a scrape: see `read-gauges.ts`. */
export function recordEvent(event: RunEvent, to: Instruments, memory: MetricsMemory, nowMs: number): void {
  switch (event.type) {
    case 'step':
      return recordStep(event, to, memory, nowMs);
    case 'timing':
      return recordTiming(event.timing, to, memory);
    case 'worker':
      return recordWorker(event, to, memory, nowMs);
    case 'state':
      to.state.reset();
      return to.state.set({ state: event.state }, 1);
    case 'assignment':
      return to.assignments.inc();
    case 'speculation':
      return to.speculations.inc();
    case 'fault':
      return to.faults.inc({ kind: event.kind });
    case 'skipped':
      return to.faults.inc({ kind: 'skipped' });
    case 'evaluation':
      return recordEvaluation(event, to);
    case 'checkpoint':
      to.checkpoints.inc();
      to.checkpoint.observe(event.durationMs / 1e3);
      return to.blocked.observe(event.blockedMs / 1e3);
    default:
      return;
  }
}

function recordStep({ record }: Of<'step'>, to: Instruments, { recovery }: MetricsMemory, nowMs: number): void {
  to.steps.inc();
  to.samples.inc(record.samples);
  for (const lostMs of recovery.committed(nowMs)) to.recovery.observe(lostMs / 1e3);
}

function recordTiming(timing: StepTiming, to: Instruments, { clockErrorsMs }: MetricsMemory): void {
  to.step.observe((timing.endMs - timing.beginMs) / 1e3);
  for (const { partials, workerId } of timing.workers) {
    for (const { remote } of partials) {
      if (!remote) continue;
      if (clockErrorsMs.size < maxWorkers) clockErrorsMs.set(workerId, remote.clock.errorMs);
      for (const { beginMs, endMs } of remote.shards) to.shard.observe((endMs - beginMs) / 1e3);
    }
  }
  const phases = phasesOf(timing);
  if (!phases) return;
  const { receiveMs, computeMs, sendMs, reduceMs, updateMs } = phases;
  to.phase.observe({ phase: 'receive' }, receiveMs / 1e3);
  to.phase.observe({ phase: 'compute' }, computeMs / 1e3);
  to.phase.observe({ phase: 'send' }, sendMs / 1e3);
  to.phase.observe({ phase: 'reduce' }, reduceMs / 1e3);
  to.phase.observe({ phase: 'update' }, updateMs / 1e3);
}

function recordWorker({ change }: Of<'worker'>, to: Instruments, memory: MetricsMemory, nowMs: number): void {
  if (change !== 'lost') return;
  to.faults.inc({ kind: 'worker_lost' });
  memory.recovery.lost(nowMs);
}

function recordEvaluation({ record, durationMs }: Of<'evaluation'>, to: Instruments): void {
  to.evaluations.inc();
  to.evaluation.observe(durationMs / 1e3);
  to.accuracy.set(record.correct / record.total);
  to.testLoss.set(record.loss);
}

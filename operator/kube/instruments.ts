import type * as PromClient from 'prom-client';
import type { TrainingJob } from '../resource/training-job.js';
import type { ObjectCache } from './object-cache.js';
import type { Phase } from './operator.js';
import type { WorkQueue } from './work-queue.js';

const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Sources of gauges, read at each scrape. */
interface Followed {
  readonly queue: WorkQueue;
  readonly phase: Phase;
  readonly jobs: ObjectCache;
}

/** Creates all metrics of the operator and its process, in base units, in a registry of their own. */
export function createInstruments({ Counter, Gauge, Histogram, Registry, collectDefaultMetrics }: typeof PromClient) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `lockstep_operator_${name}_total`, help, labelNames, registers });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `lockstep_operator_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const follow = ({ queue, phase, jobs }: Followed) => {
    gauge('queue_depth', 'Jobs waiting to be reconciled.', () => queue.depth);
    gauge('queue_working', 'Jobs being reconciled.', () => queue.working);
    gauge('leading', '1 while this operator is the leader.', () => Number(phase.leading));
    gauge('synced', '1 once all objects have been listed.', () => Number(phase.synced));
    new Gauge({
      name: 'lockstep_operator_jobs',
      help: 'Jobs by state.',
      labelNames: ['state'],
      registers,
      collect() {
        this.reset();
        for (const job of jobs.values()) this.inc({ state: (job as TrainingJob).status?.state ?? 'New' });
      },
    });
  };
  return {
    registry,
    follow,
    reconcile: new Histogram({
      name: 'lockstep_operator_reconcile_seconds',
      help: 'Duration of one reconciliation, including requests.',
      labelNames: ['outcome'],
      buckets: reconcileBuckets,
      registers,
    }),
    calls: counter('api_requests', 'Requests to the API server by HTTP status; 0: no answer.', [
      'verb',
      'resource',
      'code',
    ]),
    restarts: counter('watch_restarts', 'Watches restarted because of a failure.', ['resource']),
    asked: counter('coordinator_requests', 'Completed requests to coordinators.', ['method', 'outcome']),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;

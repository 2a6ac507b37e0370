import type * as PromClient from 'prom-client';
import type { TrainingJob } from '../resource/training-job.js';
import type { ObjectCache } from './object-cache.js';
import type { Phase } from './operator.js';
import type { WorkQueue } from './work-queue.js';

const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What gauges are read from when somebody looks. */
interface Followed {
  readonly queue: WorkQueue;
  readonly phase: Phase;
  readonly jobs: ObjectCache;
}

/** Every metric of the operator, in base units, in a registry of its own; with those of the process. */
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
    gauge('queue_depth', 'Jobs that wait to be looked at.', () => queue.depth);
    gauge('queue_working', 'Jobs that are being looked at.', () => queue.working);
    gauge('leading', '1 while this operator acts.', () => Number(phase.leading));
    gauge('synced', '1 once all has been listed.', () => Number(phase.synced));
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
      help: 'One look at one job, requests included.',
      labelNames: ['outcome'],
      buckets: reconcileBuckets,
      registers,
    }),
    calls: counter('api_requests', 'Requests to the API server by HTTP status; 0: no answer.', [
      'verb',
      'resource',
      'code',
    ]),
    restarts: counter('watch_restarts', 'Watches begun again other than by their time being over.', ['resource']),
    asked: counter('coordinator_requests', 'Requests to coordinators that ended.', ['method', 'outcome']),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;

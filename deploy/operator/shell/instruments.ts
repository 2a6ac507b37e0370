import type * as PromClient from 'prom-client';

const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Every metric of the operator, in base units, in a registry of its own. */
export function createInstruments({ Counter, Gauge, Histogram, Registry }: typeof PromClient) {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, collect: (set: (value: number) => void) => void) =>
    new Gauge({
      name: `lockstep_operator_${name}`,
      help,
      registers,
      collect() {
        collect((value) => this.set(value));
      },
    });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `lockstep_operator_${name}_total`, help, labelNames, registers });
  return {
    registry,
    gauge,
    reconcile: new Histogram({
      name: 'lockstep_operator_reconcile_seconds',
      help: 'One look at one job, requests included.',
      labelNames: ['outcome'],
      buckets: reconcileBuckets,
      registers,
    }),
    calls: counter('api_requests', 'Requests to the API server by their HTTP status; 0: no answer.', [
      'verb',
      'resource',
      'code',
    ]),
    restarts: counter('watch_restarts', 'Watches that began again other than by their time being over.', ['resource']),
    asked: counter('coordinator_requests', 'Requests to coordinators.', ['method', 'outcome']),
    jobs: new Gauge({
      name: 'lockstep_operator_jobs',
      help: 'Jobs by state.',
      labelNames: ['state'],
      registers,
    }),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;

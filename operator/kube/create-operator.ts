import { setMaxListeners } from 'node:events';
import { setImmediate as untilIdle } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type * as PromClient from 'prom-client';
import { readJob } from '../plan/job-context.js';
import { Api } from './api.js';
import type { Backoff } from '../../util/backoff.js';
import { Caches } from './caches.js';
import { Connector } from './connection.js';
import { CoordinatorCalls } from '../coordinators/coordinator-calls.js';
import { Events } from './events.js';
import { Executor } from './executor.js';
import { Informer } from './informer.js';
import { createInstruments, type Instruments } from './instruments.js';
import { Leader } from './leader.js';
import { healthPage, MonitoringServer, type MonitoringSettings } from './monitoring-server.js';
import type { OperatorOptions } from './operator-options.js';
import { Operator, type Phase } from './operator.js';
import { Reconciler } from './reconciler.js';
import { childResources, jobResource, managedBy, type Resource } from './resources.js';
import { Secrets } from './secrets.js';
import { SpecCache } from './spec-cache.js';
import { WorkQueue } from './work-queue.js';

/** Retries of a failed job: after a second at first, later every minute. */
const backoff: Backoff = { firstMs: 1_000, maxMs: 60_000 };
/** Changes of a job within this time share one plan: ten starting pods cause forty events. */
const batchMs = 50;

/** Assembles an operator without starting it. */
export function createOperator(config: KubeConfig, options: OperatorOptions, prom: typeof PromClient): Operator {
  const { log, lease, settings } = options;
  const acting = new AbortController();
  // Every pending request listens to it.
  setMaxListeners(0, acting.signal);
  const phase: Phase = { synced: false, leading: false };
  const instruments = createInstruments(prom);
  const connector = new Connector(config);
  const api = new Api(
    connector,
    (verb, resource, code) => instruments.calls.inc({ verb, resource, code }),
    options.rate,
  );
  const caches = new Caches((key) => queue.add(key, batchMs));
  const secrets = new Secrets(api, acting.signal);
  const events = new Events(api, (message) => log.warn(message));
  const coordinators = new CoordinatorCalls({
    secrets,
    onUpdate: (key) => queue.add(key),
    onCall: (method, outcome) => instruments.asked.inc({ method, outcome }),
  });
  const executor = new Executor({ api, caches, secrets, events }, acting.signal);
  const specs = new SpecCache((job) => readJob(job, settings));
  const reconciler = new Reconciler({ caches, coordinators, executor, secrets, events, specs });
  const queue = createQueue(reconciler, instruments, options);
  instruments.follow({ queue, phase, jobs: caches.jobs });
  return new Operator({
    ...{ caches, queue, coordinators, connector, acting, phase, log },
    prepare: (signal) => secrets.open(options.keyNamespace, signal),
    informers: (options.namespaces ?? [undefined]).flatMap((namespace) =>
      [jobResource, ...childResources].map((resource) =>
        createInformer({ resource, namespace, api, caches }, instruments, options),
      ),
    ),
    leader: lease && new Leader(api, { ...lease, log: (message) => log.info(message) }),
    health: new MonitoringServer({
      ...options.health,
      pages: {
        '/healthz': () => healthPage(acting.signal.aborted ? 'leadership lost' : undefined),
        '/readyz': () => healthPage(phase.synced ? undefined : 'initial lists incomplete'),
      },
    }),
    metrics: options.metrics && new MonitoringServer({ ...options.metrics, pages: metricsPages(instruments) }),
  });
}

function metricsPages({ registry }: Instruments): MonitoringSettings['pages'] {
  return { '/metrics': async () => ({ code: 200, type: registry.contentType, text: await registry.metrics() }) };
}

function createQueue(reconciler: Reconciler, instruments: Instruments, options: OperatorOptions): WorkQueue {
  const { concurrency, log } = options;
  const work = async (key: string) => {
    const end = instruments.reconcile.startTimer();
    let outcome = 'failed';
    // A reconciliation without work never yields, so a thousand in a row would block the event loop.
    await untilIdle();
    try {
      const againMs = await reconciler.reconcile(key);
      outcome = 'ok';
      return againMs;
    } finally {
      end({ outcome });
    }
  };
  const onFailure = (job: string, error: unknown, failures: number) => {
    log.warn({ job, failures }, (error as Error).message);
  };
  return new WorkQueue({ work, concurrency, backoff, onFailure });
}

/** One kind of object in one or all namespaces. */
interface InformerInput {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly api: Api;
  readonly caches: Caches;
}

function createInformer(
  { resource, namespace, api, caches }: InformerInput,
  instruments: Instruments,
  { times, log }: OperatorOptions,
): Informer {
  return new Informer(api, caches.of(resource), {
    resource,
    namespace,
    // Users don't label their jobs.
    ...(resource === jobResource ? {} : { labelSelector: `${managedBy.label}=${managedBy.value}` }),
    ...(times && { times }),
    onRestart: (plural, why) => {
      instruments.restarts.inc({ resource: plural });
      log.info({ resource: plural }, `watch restarted: ${why}`);
    },
  });
}

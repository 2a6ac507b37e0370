import { randomBytes } from 'node:crypto';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Api } from './api.js';
import { EventMemory, type JobEvent } from './event-decisions.js';
import { fieldManager } from './field-manager.js';
import { eventResource, pathOf } from './resources.js';

/** The API's limit for an Event's message. */
const maxMessage = 1024;

/** Writes Kubernetes Events about jobs. A failed write is only logged. */
export class Events {
  readonly #memory = new EventMemory();

  constructor(
    private readonly api: Api,
    private readonly log: (message: string) => void,
  ) {}

  async write(job: KubernetesObject, event: JobEvent, signal?: AbortSignal): Promise<void> {
    const uid = job.metadata?.uid ?? '';
    const decision = this.#memory.decide(uid, event, performance.now());
    try {
      if (decision.action === 'create') this.#memory.created(uid, event, await this.#create(job, event, signal));
      else if (decision.action === 'count') await this.#count(job, decision, signal);
    } catch (error) {
      this.log(`event ${event.reason}: ${(error as Error).message}`);
    }
  }

  forget(uid: string): void {
    this.#memory.forget(uid);
  }

  /** @returns the Event's name. */
  async #create(job: KubernetesObject, event: JobEvent, signal: AbortSignal | undefined): Promise<string> {
    const { namespace = '', name: jobName = '' } = job.metadata ?? {};
    const name = `${jobName.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
    const body = eventOf(job, name, event, new Date());
    await this.api.call({ verb: 'create', resource: 'events', path: pathOf(eventResource, namespace), body, signal });
    return name;
  }

  async #count(
    job: KubernetesObject,
    { name, count }: { readonly name: string; readonly count: number },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const path = pathOf(eventResource, job.metadata?.namespace, name);
    const body = { count, lastTimestamp: new Date().toISOString() };
    await this.api.call({ verb: 'patch', resource: 'events', path, body, signal });
  }
}

/** A core/v1 Event, which `kubectl describe` and `kubectl get events` show with a count. */
function eventOf(job: KubernetesObject, name: string, { reason, message, warning }: JobEvent, now: Date): object {
  const { namespace, name: jobName, uid, resourceVersion } = job.metadata ?? {};
  const time = now.toISOString();
  return {
    apiVersion: 'v1',
    kind: eventResource.kind,
    metadata: { namespace, name },
    involvedObject: { apiVersion: job.apiVersion, kind: job.kind, namespace, name: jobName, uid, resourceVersion },
    type: warning ? 'Warning' : 'Normal',
    reason,
    message: message.length > maxMessage ? `${message.slice(0, maxMessage - 1)}…` : message,
    source: { component: fieldManager },
    reportingComponent: fieldManager,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

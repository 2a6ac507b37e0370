import { isDeepStrictEqual } from 'node:util';
import { planJob } from '../plan/plan-job.js';
import { type Action, isEnding, type Observed, type Plan } from '../plan/types.js';
import { essentialStatus } from '../resource/bound-status.js';
import type { TrainingJobStatus } from '../resource/status.js';
import type { TrainingJob } from '../resource/training-job.js';
import { ApiError } from './api-error.js';
import type { Caches } from './caches.js';
import type { CoordinatorCalls } from '../coordinators/coordinator-calls.js';
import type { Events } from './events.js';
import type { Executor } from './executor.js';
import type { Secrets } from './secrets.js';
import type { SpecCache } from './spec-cache.js';

export interface ReconcilerParts {
  readonly caches: Caches;
  readonly coordinators: CoordinatorCalls;
  readonly executor: Executor;
  readonly secrets: Secrets;
  readonly events: Events;
  readonly specs: SpecCache;
}

const retryStaleMs = 200;
/** Status codes for which the same write may succeed later. */
const passingCodes: readonly number[] = [401, 404, 408, 409, 429, 502, 503, 504];

/** Reconciles one job at a time: observes it, plans, and executes the plan. */
export class Reconciler {
  readonly #uids = new Map<string, string>();

  constructor(private readonly parts: ReconcilerParts) {}

  /** @returns time until the next reconciliation; undefined: at the next change. @throws ApiError if an action failed. */
  async reconcile(key: string): Promise<number | undefined> {
    const kept = this.parts.caches.job(key);
    const job = kept === 'dropped' ? await this.parts.executor.readJob(key) : kept;
    this.#remember(key, job?.metadata.uid);
    if (!job) return undefined;
    const plan = planJob(this.#observe(job), Date.now());
    this.parts.coordinators.follow(job, plan.ask);
    try {
      await this.#executePlan(job, plan);
    } catch (error) {
      if (isStale(error)) return retryStaleMs;
      if (isReportable(error)) await this.#reportFailure(job, error as Error);
      throw error;
    }
    return plan.againMs;
  }

  #observe(job: TrainingJob): Observed {
    const { caches, coordinators, executor, secrets, specs } = this.parts;
    const uid = job.metadata.uid ?? '';
    return {
      job,
      read: (each) => specs.read(each),
      keyId: secrets.keyId,
      children: caches.childrenOf(job),
      workerPods: caches.workerPodsOf(job),
      control: coordinators.answer(uid),
      taken: executor.taken(job),
    };
  }

  async #executePlan(job: TrainingJob, { status, actions }: Plan): Promise<void> {
    // As the API server returns it: without undefined fields.
    const plain = JSON.parse(JSON.stringify(status)) as Plan['status'];
    const refusal = await this.#writeStatus(job, plain);
    await this.#execute(job, refusal ? actions.filter(isEnding) : actions);
    if (refusal) throw refusal;
  }

  /**
   * Writes the status, or only what the next plan needs if the API server rejects the full status.
   * @returns the reason if neither was accepted. @throws ApiError if a retry may succeed, or if the plan is stale.
   */
  async #writeStatus(job: TrainingJob, status: TrainingJobStatus): Promise<ApiError | undefined> {
    const refusal = await this.#tryStatus(job, status);
    if (!refusal) return undefined;
    await this.#reportFailure(job, refusal);
    return this.#tryStatus(job, essentialStatus(status));
  }

  async #tryStatus(job: TrainingJob, status: TrainingJobStatus): Promise<ApiError | undefined> {
    if (isDeepStrictEqual(status, job.status)) return undefined;
    try {
      await this.parts.executor.writeStatus(job, status);
    } catch (error) {
      if (isRefusal(error)) return error;
      throw error;
    }
    return undefined;
  }

  async #execute(job: TrainingJob, actions: readonly Action[]): Promise<void> {
    const { coordinators, executor } = this.parts;
    for (const action of actions) {
      if (action.type !== 'checkpoint') await executor.execute(job, action);
      // Other jobs are processed meanwhile. This one is planned again when the checkpoint is written or times out.
      else if (!coordinators.checkpoint(job.metadata.uid ?? '', action.pod)) return;
    }
  }

  /** Writes an Event for problems such as an exhausted quota, because users look at the job, not at the operator's log. */
  async #reportFailure(job: TrainingJob, error: Error): Promise<void> {
    await this.parts.events.write(job, { reason: 'ActionFailed', message: error.message, warning: true });
  }

  /** Drops the state of a deleted job, also if a new job has its name. */
  #remember(key: string, uid: string | undefined): void {
    const before = this.#uids.get(key);
    if (uid === undefined) this.#uids.delete(key);
    else this.#uids.set(key, uid);
    if (before === undefined || before === uid) return;
    const { coordinators, secrets, events, executor, specs } = this.parts;
    for (const part of [coordinators, secrets, events, executor, specs]) part.forget(before);
  }
}

/** False for temporary failures, and for deleted jobs, which the watch reports. */
function isReportable(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  return !error.retryable && error.code !== 404;
}

/**
 * True if the API server would reject the same write again. False for conflicts, too many requests, missing credentials,
 * a deleted job, and server errors.
 */
function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code >= 400 && !passingCodes.includes(error.code);
}

/** True if the job or one of its objects has changed since it was read; the watch will deliver the change. */
function isStale(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'Conflict';
}

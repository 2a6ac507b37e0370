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

const staleAgainMs = 200;
const passingCodes: readonly number[] = [401, 404, 408, 409, 429, 502, 503, 504];

/** Looks at one job: what there is, what the plan makes of it, and has that done. */
export class Reconciler {
  readonly #uids = new Map<string, string>();

  constructor(private readonly parts: ReconcilerParts) {}

  /** @returns how long until the job is to be looked at again. @throws ApiError where not all could be done. */
  async reconcile(key: string): Promise<number | undefined> {
    const kept = this.parts.caches.job(key);
    const job = kept === 'dropped' ? await this.parts.executor.readJob(key) : kept;
    this.#remember(key, job?.metadata.uid);
    if (!job) return undefined;
    const plan = planJob(this.#observe(job), Date.now());
    this.parts.coordinators.follow(job, plan.ask);
    try {
      await this.#carryOut(job, plan);
    } catch (error) {
      if (isStale(error)) return staleAgainMs;
      if (isWorthTelling(error)) await this.#complain(job, error as Error);
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

  async #carryOut(job: TrainingJob, { status, actions }: Plan): Promise<void> {
    // As it will look when it comes back: without what is undefined.
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
    await this.#complain(job, refusal);
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
      // Meanwhile other jobs are processed. This one is planned again when the checkpoint is written or times out.
      else if (!coordinators.checkpoint(job.metadata.uid ?? '', action.pod)) return;
    }
  }

  /** A quota that is used up, a template that the API server does not take: people look at the job, not at our log. */
  async #complain(job: TrainingJob, error: Error): Promise<void> {
    await this.parts.events.write(job, { reason: 'ActionFailed', message: error.message, warning: true });
  }

  /** Forgets what belongs to a job that is gone, also where another one has its name by now. */
  #remember(key: string, uid: string | undefined): void {
    const before = this.#uids.get(key);
    if (uid === undefined) this.#uids.delete(key);
    else this.#uids.set(key, uid);
    if (before === undefined || before === uid) return;
    const { coordinators, secrets, events, executor, specs } = this.parts;
    for (const part of [coordinators, secrets, events, executor, specs]) part.forget(before);
  }
}

/** Not where the way to the API server is broken, nor where the job is gone: the watch tells of that. */
function isWorthTelling(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  return !error.retryable && error.code !== 404;
}

/**
 * Whether the API server would reject the same write again. False for conflicts, too many requests, missing credentials,
 * a deleted job, and server errors.
 */
function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code >= 400 && !passingCodes.includes(error.code);
}

/** Whether the job, or what belongs to it, has changed since it was read: the watch is about to say how. */
function isStale(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'Conflict';
}

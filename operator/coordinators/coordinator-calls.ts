import { setTimeout as sleep } from 'node:timers/promises';
import { type CoordinatorStatus, isEndState } from '../plan/coordinator-status.js';
import type { Answer, Plan } from '../plan/types.js';
import type { TrainingJob } from '../resource/training-job.js';
import { urgencyOf } from './update-urgency.js';
import { type Backoff, backoffMs } from '../../util/backoff.js';
import { CoordinatorChannel, isUntrusted } from './coordinator-channel.js';
import { FairSlots, type Slot } from '../kube/fair-slots.js';
import { Pump } from './gated-socket.js';
import { type JobPlanRate, PlanRate } from './plan-rate.js';
import { keyOf } from '../kube/object-cache.js';
import type { Secrets } from '../kube/secrets.js';

type Ask = NonNullable<Plan['ask']>;

interface Followed {
  readonly job: TrainingJob;
  readonly ask: Ask;
  readonly stop: AbortController;
  readonly pace: JobPlanRate;
  channel: CoordinatorChannel | undefined;
  answer: Answer;
  /** Last answer used by a plan. */
  planned: Answer | undefined;
  checkpoint: 'none' | 'requested' | 'settled';
}

export interface CallsSettings {
  readonly secrets: Pick<Secrets, 'identity' | 'forget'>;
  /** Called with a job's key when its answer needs a plan. */
  readonly onUpdate: (key: string) => void;
  /** Called after each request. */
  readonly onCall: (method: 'watch' | 'checkpoint', outcome: 'ok' | 'failed') => void;
}

const backoff: Backoff = { firstMs: 500, maxMs: 30_000 };
const checkpointMs = 8_000;
/** Minimum time between two requests for the same checkpoint. */
const checkpointIntervalMs = 30_000;
/** Minimum time between two renewals of a job's credentials after failures. */
const renewalMs = 300_000;

/** Open streams. With more coordinators, each is followed for `holdMs` in turn. */
const streams = { capacity: 128, perGroup: 96, holdMs: 10_000 };
/** Connections being established at a time. Each slot is held for `connectingMs`, so at most 80 per second. */
const connecting = { capacity: 8, perGroup: 6 };
const connectingMs = 100;

/**
 * Follows the coordinators selected by plans. A stream delivers a job's status once per second and at its end, which
 * polling would miss, and puts no load on the API server.
 *
 * Coordinators run images chosen by their jobs' owners. Every resource that they can exhaust is therefore bounded and
 * shared fairly between namespaces: streams, connection attempts, and plans caused by answers.
 */
export class CoordinatorCalls {
  readonly #followed = new Map<string, Followed>();
  readonly #streams = new FairSlots(streams);
  readonly #connecting = new FairSlots(connecting);
  readonly #pump = new Pump();
  readonly #pace = new PlanRate();
  readonly #renewedAtMs = new Map<string, number>();

  constructor(private readonly settings: CallsSettings) {}

  /** Follows a job's coordinator. @param ask - its pod and address; undefined: stop, but keep the last answer. */
  follow(job: TrainingJob, ask: Ask | undefined): void {
    const uid = job.metadata.uid ?? '';
    const before = this.#followed.get(uid);
    if (before?.ask.pod === ask?.pod && before?.ask.address === ask?.address) return;
    before?.stop.abort();
    if (!ask) return;
    const answer: Answer = { ...(before?.ask.pod === ask.pod ? before.answer : {}), pod: ask.pod };
    const followed: Followed = {
      ...{ job: headOf(job), ask, stop: new AbortController(), answer, channel: undefined, checkpoint: 'none' },
      pace: before?.pace ?? this.#pace.add(namespaceOf(job)),
      planned: before?.planned,
    };
    this.#followed.set(uid, followed);
    void this.#run(followed);
  }

  answer(uid: string): Answer | undefined {
    const answer = this.#followed.get(uid)?.answer;
    return answer?.status === undefined && answer?.error === undefined ? undefined : answer;
  }

  /**
   * Requests a checkpoint from a followed coordinator, once.
   * @returns true if it is done or impossible; otherwise `onUpdate` is called within 8 s, whatever the result.
   */
  checkpoint(uid: string, pod: string): boolean {
    const followed = this.#followed.get(uid);
    if (followed?.ask.pod !== pod || followed.stop.signal.aborted || followed.checkpoint === 'settled') return true;
    if (followed.checkpoint === 'none') {
      followed.checkpoint = 'requested';
      void this.#checkpoint(followed);
    }
    return false;
  }

  forget(uid: string): void {
    const followed = this.#followed.get(uid);
    this.#renewedAtMs.delete(uid);
    if (!followed) return;
    followed.stop.abort();
    this.#followed.delete(uid);
    this.#pace.remove(namespaceOf(followed.job));
  }

  close(): void {
    for (const uid of [...this.#followed.keys()]) this.forget(uid);
  }

  async #run(followed: Followed): Promise<void> {
    const { signal } = followed.stop;
    for (let failures = 1; !signal.aborted;) {
      const outcome = await this.#follow(followed).catch(() => 'failed' as const);
      if (outcome === 'ended') return;
      if (outcome === 'recalled') continue;
      failures = outcome === 'received' ? 1 : failures + 1;
      await sleep(backoffMs(backoff, failures, Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Follows a coordinator until it ends or fails, or until its slot is recalled. */
  async #follow(followed: Followed): Promise<'ended' | 'recalled' | 'received' | 'failed'> {
    const slot = await this.#streams.take(namespaceOf(followed.job), followed.stop.signal);
    const stopping = AbortSignal.any([followed.stop.signal, slot.recalled]);
    const ending = new AbortController();
    let received = false;
    try {
      const channel = await this.#open(followed, stopping);
      followed.channel = channel;
      const onStatus = (status: CoordinatorStatus) => {
        received = true;
        this.#update(followed, { pod: followed.ask.pod, status, statusMs: Date.now() });
        // No further status follows; it must not hold the stream.
        if (isEndState(status.state)) ending.abort();
      };
      await channel.watch(onStatus, AbortSignal.any([stopping, ending.signal]));
    } catch (error) {
      if (followed.stop.signal.aborted) return 'ended';
      if (slot.recalled.aborted) return 'recalled';
      if (!ending.signal.aborted) {
        this.settings.onCall('watch', 'failed');
        this.#fail(followed, error as Error);
        return received ? 'received' : 'failed';
      }
    } finally {
      this.#close(followed, slot);
    }
    this.settings.onCall('watch', 'ok');
    return isEndState(followed.answer.status?.state ?? '') ? 'ended' : 'received';
  }

  #close(followed: Followed, slot: Slot): void {
    if (followed.checkpoint !== 'requested') followed.channel?.close();
    followed.channel = undefined;
    slot.release();
  }

  async #open(followed: Followed, signal: AbortSignal): Promise<CoordinatorChannel> {
    const identity = await this.settings.secrets.identity(followed.job);
    const slot = await this.#connecting.take(namespaceOf(followed.job), signal);
    const minimumHold = sleep(connectingMs);
    try {
      return await CoordinatorChannel.open(followed.ask, identity, this.#pump, signal);
    } finally {
      void minimumHold.then(() => slot.release());
    }
  }

  async #checkpoint(followed: Followed): Promise<void> {
    const signal = AbortSignal.any([followed.stop.signal, AbortSignal.timeout(checkpointMs)]);
    const outcome = await this.#requestCheckpoint(followed, signal).then(
      () => 'ok' as const,
      () => 'failed' as const,
    );
    this.settings.onCall('checkpoint', outcome);
    followed.checkpoint = 'settled';
    setTimeout(() => (followed.checkpoint = 'none'), checkpointIntervalMs).unref();
    if (!followed.stop.signal.aborted) this.settings.onUpdate(keyOf(followed.job));
  }

  /** Uses the open stream's connection, or a separate one when it isn't this job's turn. */
  async #requestCheckpoint(followed: Followed, signal: AbortSignal): Promise<void> {
    const channel = followed.channel ?? (await this.#open(followed, signal));
    try {
      await channel.checkpoint(signal);
    } finally {
      if (followed.channel !== channel) channel.close();
    }
  }

  /** Records a failure. If it persists, drops the job's credentials, which may have expired, to derive new ones. */
  #fail(followed: Followed, error: Error): void {
    const uid = followed.job.metadata.uid ?? '';
    const nowMs = performance.now();
    if (followed.answer.error !== undefined && nowMs - (this.#renewedAtMs.get(uid) ?? -Infinity) >= renewalMs) {
      this.#renewedAtMs.set(uid, nowMs);
      this.settings.secrets.forget(uid);
    }
    this.#update(followed, { ...followed.answer, error: error.message, untrusted: isUntrusted(error) });
  }

  #update(followed: Followed, answer: Answer): void {
    followed.answer = answer;
    if (!followed.pace.admit(urgencyOf(followed.planned, answer), performance.now())) return;
    followed.planned = answer;
    this.settings.onUpdate(keyOf(followed.job));
  }
}

function namespaceOf({ metadata }: TrainingJob): string {
  return metadata.namespace ?? '';
}

/** The fields of a job that are needed to follow it, without its spec, which may be large. */
function headOf({ apiVersion, kind, metadata: { name, namespace, uid } }: TrainingJob): TrainingJob {
  return { apiVersion, kind, metadata: { name: name!, namespace: namespace!, uid: uid! }, spec: {} };
}

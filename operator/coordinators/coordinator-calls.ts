import { setTimeout as sleep } from 'node:timers/promises';
import { type CoordinatorStatus, isEndState } from '../plan/coordinator-status.js';
import type { Answer, Plan } from '../plan/types.js';
import type { TrainingJob } from '../resource/training-job.js';
import { urgencyOf } from './update-urgency.js';
import { type Backoff, backoffMs } from '../kube/backoff.js';
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
  /** Last answer that a plan has used. */
  planned: Answer | undefined;
  checkpoint: 'none' | 'asked' | 'settled';
}

export interface CallsSettings {
  readonly secrets: Pick<Secrets, 'identity' | 'forget'>;
  /** Called with a job's key when there is something to plan for. */
  readonly onUpdate: (key: string) => void;
  /** Called after each request. */
  readonly onCall: (method: 'watch' | 'checkpoint', outcome: 'ok' | 'failed') => void;
}

const backoff: Backoff = { firstMs: 500, maxMs: 30_000 };
const checkpointMs = 8_000;
/** Minimum time between two requests for the same checkpoint. */
const checkpointAgainMs = 30_000;
/** Minimum time between two renewals of a job's credentials after failures. */
const rereadMs = 300_000;

/** Open streams. With more coordinators, each is followed for `holdMs` in turn. */
const streams = { capacity: 128, perGroup: 96, holdMs: 10_000 };
/** Connections being established at a time. Each slot is held for `connectingMs`, so at most 80 per second. */
const connecting = { capacity: 8, perGroup: 6 };
const connectingMs = 100;

/**
 * Follows the coordinators that plans ask for. Each stream delivers a job's status once per second, and the last one at
 * the end, which polling would miss. It doesn't load the API server.
 *
 * Coordinators run images that their jobs' owners chose. Everything that one of them can use up is therefore bounded and
 * shared fairly between namespaces: streams, connection attempts, and plans caused by answers.
 */
export class CoordinatorCalls {
  readonly #followed = new Map<string, Followed>();
  readonly #streams = new FairSlots(streams);
  readonly #connecting = new FairSlots(connecting);
  readonly #pump = new Pump();
  readonly #pace = new PlanRate();
  readonly #rereadAtMs = new Map<string, number>();

  constructor(private readonly settings: CallsSettings) {}

  /** @param ask - coordinator to follow for this job from now on; undefined: none. The last answer is kept. */
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
   * @returns true if there is nothing left to wait for; otherwise `onUpdate` is called within 8 s, whatever the result.
   */
  checkpoint(uid: string, pod: string): boolean {
    const followed = this.#followed.get(uid);
    if (followed?.ask.pod !== pod || followed.stop.signal.aborted || followed.checkpoint === 'settled') return true;
    if (followed.checkpoint === 'none') {
      followed.checkpoint = 'asked';
      void this.#checkpoint(followed);
    }
    return false;
  }

  forget(uid: string): void {
    const followed = this.#followed.get(uid);
    this.#rereadAtMs.delete(uid);
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
      const outcome = await this.#watch(followed).catch(() => 'failed' as const);
      if (outcome === 'ended') return;
      if (outcome === 'recalled') continue;
      failures = outcome === 'heard' ? 1 : failures + 1;
      await sleep(backoffMs(backoff, failures, Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Follows a coordinator until it ends or fails, or until another one's turn. */
  async #watch(followed: Followed): Promise<'ended' | 'recalled' | 'heard' | 'failed'> {
    const slot = await this.#streams.take(namespaceOf(followed.job), followed.stop.signal);
    const stopping = AbortSignal.any([followed.stop.signal, slot.recalled]);
    const ending = new AbortController();
    let heard = false;
    try {
      const channel = await this.#open(followed, stopping);
      followed.channel = channel;
      const onStatus = (status: CoordinatorStatus) => {
        heard = true;
        this.#report(followed, { pod: followed.ask.pod, status, statusMs: Date.now() });
        // It has nothing more to report, and must not hold the stream.
        if (isEndState(status.state)) ending.abort();
      };
      await channel.watch(onStatus, AbortSignal.any([stopping, ending.signal]));
    } catch (error) {
      if (followed.stop.signal.aborted) return 'ended';
      if (slot.recalled.aborted) return 'recalled';
      if (!ending.signal.aborted) {
        this.settings.onCall('watch', 'failed');
        this.#fail(followed, error as Error);
        return heard ? 'heard' : 'failed';
      }
    } finally {
      this.#close(followed, slot);
    }
    this.settings.onCall('watch', 'ok');
    return isEndState(followed.answer.status?.state ?? '') ? 'ended' : 'heard';
  }

  #close(followed: Followed, slot: Slot): void {
    if (followed.checkpoint !== 'asked') followed.channel?.close();
    followed.channel = undefined;
    slot.release();
  }

  async #open(followed: Followed, signal: AbortSignal): Promise<CoordinatorChannel> {
    const identity = await this.settings.secrets.identity(followed.job);
    const slot = await this.#connecting.take(namespaceOf(followed.job), signal);
    const longEnough = sleep(connectingMs);
    try {
      return await CoordinatorChannel.open(followed.ask, identity, this.#pump, signal);
    } finally {
      void longEnough.then(() => slot.release());
    }
  }

  async #checkpoint(followed: Followed): Promise<void> {
    const signal = AbortSignal.any([followed.stop.signal, AbortSignal.timeout(checkpointMs)]);
    const outcome = await this.#askForCheckpoint(followed, signal).then(
      () => 'ok' as const,
      () => 'failed' as const,
    );
    this.settings.onCall('checkpoint', outcome);
    followed.checkpoint = 'settled';
    setTimeout(() => (followed.checkpoint = 'none'), checkpointAgainMs).unref();
    if (!followed.stop.signal.aborted) this.settings.onUpdate(keyOf(followed.job));
  }

  /** Uses the open stream's connection, or a separate one when it isn't this job's turn. */
  async #askForCheckpoint(followed: Followed, signal: AbortSignal): Promise<void> {
    const channel = followed.channel ?? (await this.#open(followed, signal));
    try {
      await channel.checkpoint(signal);
    } finally {
      if (followed.channel !== channel) channel.close();
    }
  }

  /** Records a failure. If it persists, drops the job's credentials, so new ones are derived: they may have expired. */
  #fail(followed: Followed, error: Error): void {
    const uid = followed.job.metadata.uid ?? '';
    const nowMs = performance.now();
    if (followed.answer.error !== undefined && nowMs - (this.#rereadAtMs.get(uid) ?? -Infinity) >= rereadMs) {
      this.#rereadAtMs.set(uid, nowMs);
      this.settings.secrets.forget(uid);
    }
    this.#report(followed, { ...followed.answer, error: error.message, untrusted: isUntrusted(error) });
  }

  #report(followed: Followed, answer: Answer): void {
    followed.answer = answer;
    if (!followed.pace.admit(urgencyOf(followed.planned, answer), performance.now())) return;
    followed.planned = answer;
    this.settings.onUpdate(keyOf(followed.job));
  }
}

function namespaceOf({ metadata }: TrainingJob): string {
  return metadata.namespace ?? '';
}

/** The fields of a job that are needed to follow it; its spec may be large and may change. */
function headOf({ apiVersion, kind, metadata: { name, namespace, uid } }: TrainingJob): TrainingJob {
  return { apiVersion, kind, metadata: { name: name!, namespace: namespace!, uid: uid! }, spec: {} };
}

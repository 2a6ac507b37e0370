import { setTimeout as sleep } from 'node:timers/promises';
import { type CoordinatorStatus, isEndState } from '../plan/coordinator-status.js';
import type { Answer, Plan } from '../plan/types.js';
import type { TrainingJob } from '../resource/training-job.js';
import { newsOf } from './answer-news.js';
import { type Backoff, backoffMs } from './backoff.js';
import { CoordinatorChannel, isUntrusted } from './coordinator-channel.js';
import { FairSlots, type Slot } from './fair-slots.js';
import { Pump } from './gated-socket.js';
import { type JobPace, NewsPace } from './news-pace.js';
import { keyOf } from './object-cache.js';
import type { Secrets } from './secrets.js';

type Ask = NonNullable<Plan['ask']>;

interface Followed {
  readonly job: TrainingJob;
  readonly ask: Ask;
  readonly stop: AbortController;
  readonly pace: JobPace;
  channel: CoordinatorChannel | undefined;
  answer: Answer;
  /** The last answer that was planned for. */
  told: Answer | undefined;
  checkpoint: 'none' | 'asked' | 'settled';
}

export interface CallsSettings {
  readonly secrets: Pick<Secrets, 'identity' | 'forget'>;
  /** Told the job's key when there is something to plan for. */
  readonly onNews: (key: string) => void;
  /** Told of each request that ended. */
  readonly onCall: (method: 'watch' | 'checkpoint', outcome: 'ok' | 'failed') => void;
}

const backoff: Backoff = { firstMs: 500, maxMs: 30_000 };
const checkpointMs = 8_000;
/** The same checkpoint isn't asked for again within as long. */
const checkpointAgainMs = 30_000;
/** Secrets are read again after failures, as they may have been made again, but not more often than this. */
const rereadMs = 300_000;

/** Streams that are open at a time. With more coordinators than that each is listened to for `holdMs` in its turn. */
const streams = { capacity: 128, perGroup: 96, holdMs: 10_000 };
/** Connections that are being made at a time; each slot is kept for `connectingMs`, so 80 per second at most. */
const connecting = { capacity: 8, perGroup: 6 };
const connectingMs = 100;

/**
 * Follows the coordinators that plans ask for. A stream of a job brings its status once per second, and its last one
 * at the end, which a question every few seconds would miss; it costs the API server nothing.
 *
 * Coordinators run what their jobs' owners chose, so whatever one of them can use up is bounded, and shared fairly
 * between namespaces: streams, connecting, and the plans that answers cause.
 */
export class CoordinatorCalls {
  readonly #followed = new Map<string, Followed>();
  readonly #streams = new FairSlots(streams);
  readonly #connecting = new FairSlots(connecting);
  readonly #pump = new Pump();
  readonly #pace = new NewsPace();
  readonly #rereadAtMs = new Map<string, number>();

  constructor(private readonly settings: CallsSettings) {}

  /** @param ask - whom to follow for this job from now on; undefined: nobody. What was heard last is kept. */
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
      told: before?.told,
    };
    this.#followed.set(uid, followed);
    void this.#run(followed);
  }

  answer(uid: string): Answer | undefined {
    const answer = this.#followed.get(uid)?.answer;
    return answer?.status === undefined && answer?.error === undefined ? undefined : answer;
  }

  /**
   * Asks a followed coordinator for a checkpoint, once.
   * @returns whether nothing has to be waited for any more; else `onNews` follows within 8 s, whatever comes of it.
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
      const outcome = await this.#listen(followed).catch(() => 'failed' as const);
      if (outcome === 'ended') return;
      if (outcome === 'recalled') continue;
      failures = outcome === 'heard' ? 1 : failures + 1;
      await sleep(backoffMs(backoff, failures, Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Listens to a coordinator until its end, a failure, or until it is another one's turn. */
  async #listen(followed: Followed): Promise<'ended' | 'recalled' | 'heard' | 'failed'> {
    const slot = await this.#streams.take(namespaceOf(followed.job), followed.stop.signal);
    const stopping = AbortSignal.any([followed.stop.signal, slot.recalled]);
    const ending = new AbortController();
    let heard = false;
    try {
      const channel = await this.#open(followed, stopping);
      followed.channel = channel;
      const onStatus = (status: CoordinatorStatus) => {
        heard = true;
        this.#tell(followed, { pod: followed.ask.pod, status, statusMs: Date.now() });
        // It has nothing more to say, and may not hold the stream.
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
    if (!followed.stop.signal.aborted) this.settings.onNews(keyOf(followed.job));
  }

  /** Over the open stream's connection, or one of its own where it isn't this job's turn. */
  async #askForCheckpoint(followed: Followed, signal: AbortSignal): Promise<void> {
    const channel = followed.channel ?? (await this.#open(followed, signal));
    try {
      await channel.checkpoint(signal);
    } finally {
      if (followed.channel !== channel) channel.close();
    }
  }

  /** The operator's certificate is made again: it may have expired. */
  #fail(followed: Followed, error: Error): void {
    const uid = followed.job.metadata.uid ?? '';
    const nowMs = performance.now();
    if (followed.answer.error !== undefined && nowMs - (this.#rereadAtMs.get(uid) ?? -Infinity) >= rereadMs) {
      this.#rereadAtMs.set(uid, nowMs);
      this.settings.secrets.forget(uid);
    }
    this.#tell(followed, { ...followed.answer, error: error.message, untrusted: isUntrusted(error) });
  }

  #tell(followed: Followed, answer: Answer): void {
    followed.answer = answer;
    if (!followed.pace.admit(newsOf(followed.told, answer), performance.now())) return;
    followed.told = answer;
    this.settings.onNews(keyOf(followed.job));
  }
}

function namespaceOf({ metadata }: TrainingJob): string {
  return metadata.namespace ?? '';
}

/** What is needed of a job to follow it; its spec may be large, and change. */
function headOf({ apiVersion, kind, metadata: { name, namespace, uid } }: TrainingJob): TrainingJob {
  return { apiVersion, kind, metadata: { name: name!, namespace: namespace!, uid: uid! }, spec: {} };
}

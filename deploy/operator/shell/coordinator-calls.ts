import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReply } from '../../../proto/messages.js';
import type { Answer, Plan } from '../plan/types.js';
import type { TrainingJob } from '../resource/training-job.js';
import { isEndState, isNews, progressIntervalMs } from './answer-news.js';
import { type Backoff, backoffMs } from './backoff.js';
import { CoordinatorChannel, isUntrusted } from './coordinator-channel.js';
import { keyOf } from './object-cache.js';
import type { Secrets } from './secrets.js';

type Ask = NonNullable<Plan['ask']>;

interface Followed {
  readonly ask: Ask;
  readonly key: string;
  readonly stop: AbortController;
  channel: CoordinatorChannel | undefined;
  answer: Answer;
  toldAtMs: number;
}

export interface CallsSettings {
  readonly secrets: Pick<Secrets, 'identity' | 'forget'>;
  /** Told the job's key when there is something to plan for. */
  readonly onNews: (key: string) => void;
  /** Told of each request that ended. */
  readonly onCall: (method: 'watch' | 'checkpoint', outcome: 'ok' | 'failed') => void;
}

const backoff: Backoff = { firstMs: 500, maxMs: 5_000 };
const checkpointMs = 8_000;

/**
 * Follows the coordinators that plans ask for. One stream per job brings its status once per second, and its last one
 * at the end, which a question every few seconds would miss; it costs the API server nothing.
 */
export class CoordinatorCalls {
  readonly #followed = new Map<string, Followed>();

  constructor(private readonly settings: CallsSettings) {}

  /** @param ask - whom to follow for this job from now on; undefined: nobody. What was heard last is kept. */
  follow(job: TrainingJob, ask: Ask | undefined): void {
    const uid = job.metadata.uid ?? '';
    const before = this.#followed.get(uid);
    if (before?.ask.pod === ask?.pod && before?.ask.address === ask?.address) return;
    if (!ask) return this.#stop(before);
    this.#stop(before);
    const stop = new AbortController();
    const answer: Answer = { ...(before?.ask.pod === ask.pod ? before.answer : {}), pod: ask.pod };
    const followed = { ask, key: keyOf(job), stop, channel: undefined, answer, toldAtMs: -Infinity };
    this.#followed.set(uid, followed);
    void this.#run(job, followed);
  }

  answer(uid: string): Answer | undefined {
    const answer = this.#followed.get(uid)?.answer;
    return answer?.status === undefined && answer?.error === undefined ? undefined : answer;
  }

  /** Asks a followed coordinator for a checkpoint, and returns whatever comes of it. */
  async checkpoint(uid: string, pod: string): Promise<void> {
    const followed = this.#followed.get(uid);
    if (followed?.ask.pod !== pod || !followed.channel) return;
    const outcome = await followed.channel.checkpoint(checkpointMs).then(
      () => 'ok' as const,
      () => 'failed' as const,
    );
    this.settings.onCall('checkpoint', outcome);
  }

  forget(uid: string): void {
    this.#stop(this.#followed.get(uid));
    this.#followed.delete(uid);
  }

  close(): void {
    for (const uid of [...this.#followed.keys()]) this.forget(uid);
  }

  #stop(followed: Followed | undefined): void {
    followed?.stop.abort();
    followed?.channel?.close();
  }

  async #run(job: TrainingJob, followed: Followed): Promise<void> {
    const { signal } = followed.stop;
    for (let failures = 1; !signal.aborted; failures += 1) {
      let heard = false;
      try {
        followed.channel ??= await this.#open(job, followed.ask);
        await followed.channel.watch((status) => {
          heard = true;
          this.#hear(followed, status);
        }, signal);
        this.settings.onCall('watch', 'ok');
        if (isEndState(followed.answer.status?.state ?? '')) return;
      } catch (error) {
        if (signal.aborted) return;
        this.settings.onCall('watch', 'failed');
        this.#fail(job, followed, error as Error);
      }
      if (heard) failures = 1;
      await sleep(backoffMs(backoff, failures, Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  async #open(job: TrainingJob, { address, serverName }: Ask): Promise<CoordinatorChannel> {
    return new CoordinatorChannel(address, serverName, await this.settings.secrets.identity(job));
  }

  #hear(followed: Followed, status: StatusReply): void {
    this.#tell(followed, { pod: followed.ask.pod, status, statusMs: Date.now() });
  }

  /** The operator's certificate is made again: it may have expired. */
  #fail(job: TrainingJob, followed: Followed, error: Error): void {
    followed.channel?.close();
    followed.channel = undefined;
    if (followed.answer.error !== undefined) this.settings.secrets.forget(job.metadata.uid ?? '');
    this.#tell(followed, { ...followed.answer, error: error.message, untrusted: isUntrusted(error) });
  }

  #tell(followed: Followed, answer: Answer): void {
    const nowMs = performance.now();
    const times = { toldMs: nowMs - followed.toldAtMs, intervalMs: progressIntervalMs(this.#followed.size) };
    const news = isNews(followed.answer, answer, times);
    followed.answer = answer;
    if (!news) return;
    followed.toldAtMs = nowMs;
    this.settings.onNews(followed.key);
  }
}

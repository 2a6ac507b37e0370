import { setTimeout as sleep } from 'node:timers/promises';
import type { KV } from '@nats-io/kv';
import { JobError } from '../../../job/errors.js';
import { ClusterError } from '../../../proto/errors.js';
import { decideClaim, decideConflict, EntryWatch, leaseMs, renewMs } from './lease-decisions.js';
import { jobBucket } from './names.js';
import { type RegistryEntry, registryEntrySchema } from './payloads.js';
import { isConflict } from './stores.js';

export interface LeaseOptions {
  readonly job: string;
  readonly owner: string;
  /** What the entry is to say; `before` is the entry that is taken over, at a claim. */
  readonly describe: (before?: RegistryEntry) => RegistryEntry;
  /** Another coordinator has the job now. */
  readonly onLost: (error: JobError) => void;
  readonly onNote: (message: string) => void;
}

/** An entry of the registry with the revision that a change of it must name. */
interface Found {
  readonly entry: RegistryEntry | undefined;
  /** 0: there is none. */
  readonly revision: number;
}

const lookMs = 500;

/** This coordinator's hold on a job: an entry of the registry, changed only by compare-and-swap and renewed in time. */
export class Lease {
  #kv: KV | undefined;
  #revision = 0;
  #renewedMs = -Infinity;
  #renewing: Promise<void> | undefined;
  #lost = false;
  #timer: NodeJS.Timeout | undefined;
  /** Whether a claim waits to see if the owner is still there. */
  waiting = false;

  constructor(private readonly options: LeaseOptions) {}

  /** Whether nobody else can have taken the job over by now. */
  get isValid(): boolean {
    return !this.#lost && performance.now() - this.#renewedMs < leaseMs;
  }

  get isLost(): boolean {
    return this.#lost;
  }

  /**
   * Takes the job, or waits until its owner has been silent for long enough, and keeps it from then on.
   * @returns the entry that was there before.
   * @throws JobError JOB_IN_USE when somebody works on it.
   */
  async claim(kv: KV): Promise<RegistryEntry | undefined> {
    const { job, owner } = this.options;
    const watch = new EntryWatch();
    for (;;) {
      const nowMs = performance.now();
      const found = await readEntry(kv, job);
      const seen = watch.look(found.revision, performance.now());
      const { action, reason } = decideClaim({ entry: found.entry, owner, ...seen });
      if (action === 'refuse') throw inUse(job, reason);
      if (action === 'wait') await this.#wait(reason);
      else if (await this.#write(kv, found)) {
        this.#begin(kv, nowMs);
        return found.entry;
      }
    }
  }

  /** Renews the entry now, with what there is to say; does nothing while the job is not claimed. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew()
      .catch(() => undefined)
      .finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  /** Ends the renewing; says what there is to say a last time. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    await this.renew();
  }

  /** Ends the renewing and says nothing more. */
  drop(): void {
    clearInterval(this.#timer);
    this.#kv = undefined;
  }

  async #wait(reason: string): Promise<void> {
    const { job, onNote } = this.options;
    if (!this.waiting) onNote(`NATS: job ${job}: ${reason}; waiting up to ${leaseMs / 1000} s for a sign of life`);
    this.waiting = true;
    await sleep(lookMs);
  }

  #begin(kv: KV, sentMs: number): void {
    this.waiting = false;
    this.#kv = kv;
    this.#renewedMs = sentMs;
    this.#timer = setInterval(() => void this.renew(), renewMs).unref();
  }

  async #renew(): Promise<void> {
    const kv = this.#kv;
    if (!kv || this.#lost) return;
    const sentMs = performance.now();
    if (await this.#write(kv, { revision: this.#revision, entry: undefined })) this.#renewedMs = sentMs;
    else await this.#settle(kv);
  }

  /** Somebody or something has changed the entry. */
  async #settle(kv: KV): Promise<void> {
    const { job, owner, onLost } = this.options;
    const sentMs = performance.now();
    const found = await readEntry(kv, job);
    if (decideConflict(found.entry, owner) !== 'lost') {
      if (await this.#write(kv, found)) this.#renewedMs = sentMs;
      return;
    }
    this.#lost = true;
    this.drop();
    onLost(
      new JobError(
        'JOB_IN_USE',
        `NATS: expected to keep job ${job}, but another coordinator goes on with it: ${found.entry!.owner}, at step ` +
          `${found.entry!.step}; this one was not heard of for ${leaseMs / 1000} s and stops`,
      ),
    );
  }

  /** @returns false when the entry is not at `found` any more. */
  async #write(kv: KV, { entry, revision }: Found): Promise<boolean> {
    const { job, describe } = this.options;
    const content = JSON.stringify(describe(entry));
    try {
      this.#revision = revision === 0 ? await kv.create(job, content) : await kv.update(job, content, revision);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }
}

/** @throws ClusterError BAD_MESSAGE when the entry is none of ours. */
async function readEntry(kv: KV, job: string): Promise<Found> {
  const stored = await kv.get(job);
  if (!stored || stored.operation !== 'PUT') return { entry: undefined, revision: 0 };
  return { entry: parseEntry(job, stored.string()), revision: stored.revision };
}

/** @throws ClusterError BAD_MESSAGE */
export function parseEntry(job: string, text: string): RegistryEntry {
  try {
    return registryEntrySchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ClusterError(
      'BAD_MESSAGE',
      `NATS: expected an entry of Lockstep in ${jobBucket} for job ${job}, got ${text.slice(0, 80)}; ` +
        `remove it (nats kv del ${jobBucket} ${job}) or choose another --nats-job`,
      { cause },
    );
  }
}

function inUse(job: string, who: string): JobError {
  return new JobError(
    'JOB_IN_USE',
    `NATS: expected job ${job} to be free, got one in use: ${who}; wait for that run, or choose another --nats-job NAME`,
  );
}

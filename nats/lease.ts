import { setTimeout as sleep } from 'node:timers/promises';
import type { KV } from '@nats-io/kv';
import { isEnd } from '../coordinator/state/events.js';
import { JobError } from '../job/errors.js';
import { ClusterError } from '../proto/errors.js';
import { decideClaim, decideConflict, EntryWatch, leaseMs, renewMs } from './lease-decisions.js';
import { jobBucket } from './names.js';
import { maxEntryBytes, type RegistryEntry, registryEntrySchema, parseBytes } from './payloads.js';
import type { Seal } from './seal.js';
import { isConflict } from './stores.js';

export interface LeaseOptions {
  readonly job: string;
  readonly owner: string;
  /** Signs entries and detects forged ones; undefined: the run has no token. */
  readonly seal: Seal | undefined;
  /** Replace an entry that isn't signed with the token, instead of refusing to start. */
  readonly mayReplace: () => boolean;
  /** Whether this owner of the job answers a signed question; asked only where there is a token. */
  readonly answers: (owner: string) => Promise<boolean>;
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
  /** Whether there is one that isn't signed with the token. */
  readonly forged: boolean;
}

const lookMs = 500;

/** This coordinator's hold on a job: an entry of the registry, changed only by compare-and-swap and renewed in time. */
export class Lease {
  #kv: KV | undefined;
  #revision = 0;
  #renewedMs = -Infinity;
  #renewing: Promise<void> | undefined;
  #lost = false;
  /** Answers of the owner that a claim has found. */
  #answers = 0;
  #notedForged = false;
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
    const { job, owner, mayReplace } = this.options;
    const watch = new EntryWatch();
    for (;;) {
      const nowMs = performance.now();
      const found = await this.#read(kv);
      const seen = watch.look(await this.#signOfLife(found), performance.now());
      const { entry, forged } = found;
      const { action, reason } = decideClaim({ entry, owner, forged, mayReplace: mayReplace(), ...seen });
      if (action === 'refuse') throw inUse(job, reason);
      if (action === 'refuse-forged') throw foreign(job, reason);
      if (action === 'wait') await this.#wait(reason);
      else if (await this.#write(kv, found)) {
        if (forged) this.#noteForged();
        this.#begin(kv, nowMs);
        return entry;
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

  /**
   * A number that changes with each sign of life: without a token the entry's revision, with a token the count of the
   * owner's answers, because anybody may write an old entry again.
   */
  async #signOfLife({ entry, revision }: Found): Promise<number> {
    const { seal, owner, answers } = this.options;
    if (!seal) return revision;
    if (entry && entry.owner !== owner && !isEnd(entry.state) && (await answers(entry.owner))) this.#answers++;
    return this.#answers;
  }

  async #renew(): Promise<void> {
    const kv = this.#kv;
    if (!kv || this.#lost) return;
    const sentMs = performance.now();
    const kept: Found = { revision: this.#revision, entry: undefined, forged: false };
    if (await this.#write(kv, kept)) this.#renewedMs = sentMs;
    else await this.#settle(kv);
  }

  /** Somebody or something has changed the entry. */
  async #settle(kv: KV): Promise<void> {
    const { job, owner, onLost, seal, answers } = this.options;
    const found = await this.#read(kv);
    const other = found.entry?.owner ?? owner;
    const isAlive = other !== owner && (seal === undefined || (await answers(other)));
    const sentMs = performance.now();
    if (decideConflict(found.entry, owner, isAlive) !== 'lost') {
      if (found.forged) this.#noteForged();
      if (await this.#write(kv, { ...found, entry: undefined })) this.#renewedMs = sentMs;
      return;
    }
    this.#lost = true;
    this.drop();
    onLost(
      new JobError(
        'JOB_IN_USE',
        `NATS: expected to keep job ${job}, but another coordinator resumed it: ${found.entry!.owner}, at step ` +
          `${found.entry!.step}; this one was not heard of for ${leaseMs / 1000} s and stops`,
      ),
    );
  }

  /** @returns false when the entry is not at `found` any more. */
  async #write(kv: KV, { entry, revision }: Found): Promise<boolean> {
    const { job, describe, seal } = this.options;
    const said = describe(entry);
    const content = JSON.stringify(seal ? seal.add(['entry', job], said) : said);
    try {
      this.#revision = revision === 0 ? await kv.create(job, content) : await kv.update(job, content, revision);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  /** @throws ClusterError BAD_MESSAGE for an entry that isn't Lockstep's, if the run has no token. */
  async #read(kv: KV): Promise<Found> {
    const { job, seal } = this.options;
    const stored = await kv.get(job);
    if (!stored || stored.operation !== 'PUT') return { entry: undefined, revision: 0, forged: false };
    const { revision, value } = stored;
    if (!seal) return { entry: parseEntry(job, value), revision, forged: false };
    const entry = readEntry(job, value, seal);
    return { entry, revision, forged: entry === undefined };
  }

  #noteForged(): void {
    if (this.#notedForged) return;
    this.#notedForged = true;
    const { job, onNote } = this.options;
    onNote(
      `NATS: replaced the entry of job ${job} in ${jobBucket}, which wasn't signed with the token of this coordinator`,
    );
  }
}

/** Parses a job's entry; undefined if it is invalid, or with a seal, isn't signed with the token. */
export function readEntry(job: string, bytes: Uint8Array, seal: Seal | undefined): RegistryEntry | undefined {
  const value = parseBytes(bytes, maxEntryBytes);
  if (seal && !seal.fits(['entry', job], value)) return undefined;
  const parsed = registryEntrySchema.safeParse(value);
  return parsed.success && parsed.data.job === job ? parsed.data : undefined;
}

/** @throws ClusterError BAD_MESSAGE */
export function parseEntry(job: string, bytes: Uint8Array): RegistryEntry {
  const entry = readEntry(job, bytes, undefined);
  if (entry) return entry;
  const found = JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 80)));
  throw new ClusterError(
    'BAD_MESSAGE',
    `NATS: expected a Lockstep entry in ${jobBucket} for job ${job}, got ${found}; ` +
      `remove it (nats kv del ${jobBucket} ${job}) or choose another --nats-job`,
  );
}

function foreign(job: string, reason: string): JobError {
  return new JobError(
    'BAD_RUN_DIRECTORY',
    `NATS: expected an entry of job ${job} in ${jobBucket} signed with this coordinator's token, got another: ${reason}; ` +
      'pass the --token-file that the run used, --nats-start-over to train from the first step, or another --nats-job NAME',
  );
}

function inUse(job: string, who: string): JobError {
  return new JobError(
    'JOB_IN_USE',
    `NATS: expected job ${job} to be free, got one in use: ${who}; wait for that run, or choose another --nats-job NAME`,
  );
}

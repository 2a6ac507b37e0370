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
  /** Resolves to true if this owner replies to a signed request; used only with a token. */
  readonly answers: (owner: string) => Promise<boolean>;
  /** Content of the entry; `before` is the entry that a claim takes over. */
  readonly describe: (before?: RegistryEntry) => RegistryEntry;
  /** Called when another coordinator owns the job. */
  readonly onLost: (error: JobError) => void;
  readonly onNote: (message: string) => void;
}

/** An entry of the registry with its revision, for compare-and-swap. */
interface Found {
  readonly entry: RegistryEntry | undefined;
  /** 0 if there is no entry. */
  readonly revision: number;
  /** True if the entry isn't signed with the token. */
  readonly forged: boolean;
}

const pollMs = 500;

/** This coordinator's ownership of a job: an entry of the registry, changed by compare-and-swap and renewed regularly. */
export class Lease {
  #kv: KV | undefined;
  #revision = 0;
  #renewedMs = -Infinity;
  #renewing: Promise<void> | undefined;
  #lost = false;
  /** Number of replies from the owner that a claim has found. */
  #answers = 0;
  #notedForged = false;
  #timer: NodeJS.Timeout | undefined;
  /** True while a claim waits for a sign of life from the owner. */
  waiting = false;

  constructor(private readonly options: LeaseOptions) {}

  /** True while no other coordinator can have taken over the job. */
  get isValid(): boolean {
    return !this.#lost && performance.now() - this.#renewedMs < leaseMs;
  }

  /**
   * Claims the job, if needed after its owner has been silent for `leaseMs`, and renews the entry from then on.
   * @returns the previous entry.
   * @throws JobError JOB_IN_USE when another coordinator owns it.
   */
  async claim(kv: KV): Promise<RegistryEntry | undefined> {
    const { job, owner, mayReplace } = this.options;
    const watch = new EntryWatch();
    for (;;) {
      const nowMs = performance.now();
      const found = await this.#read(kv);
      const seen = watch.observe(await this.#signOfLife(found), performance.now());
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

  /** Renews the entry now with its current content; does nothing until the job is claimed. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew()
      .catch(() => undefined)
      .finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  /** Stops renewing after one last update. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    await this.renew();
  }

  /** Stops renewing immediately. */
  drop(): void {
    clearInterval(this.#timer);
    this.#kv = undefined;
  }

  async #wait(reason: string): Promise<void> {
    const { job, onNote } = this.options;
    if (!this.waiting) onNote(`NATS: job ${job}: ${reason}; waiting up to ${leaseMs / 1000} s for a sign of life`);
    this.waiting = true;
    await sleep(pollMs);
  }

  #begin(kv: KV, sentMs: number): void {
    this.waiting = false;
    this.#kv = kv;
    this.#renewedMs = sentMs;
    this.#timer = setInterval(() => void this.renew(), renewMs).unref();
  }

  /**
   * Number that changes with each sign of life. Without a token it is the entry's revision. With a token it is the number
   * of the owner's replies, because anyone may write an old entry again.
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

  /** Handles an entry that another client has changed. */
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
          `${found.entry!.step}; this one was silent for ${leaseMs / 1000} s and stops`,
      ),
    );
  }

  /** @returns false if the entry has changed since `found`. */
  async #write(kv: KV, { entry, revision }: Found): Promise<boolean> {
    const { job, describe, seal } = this.options;
    const described = describe(entry);
    const content = JSON.stringify(seal ? seal.add(['entry', job], described) : described);
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
function parseEntry(job: string, bytes: Uint8Array): RegistryEntry {
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

function inUse(job: string, reason: string): JobError {
  return new JobError(
    'JOB_IN_USE',
    `NATS: expected job ${job} to be free, got one in use: ${reason}; wait for that run, or choose another --nats-job NAME`,
  );
}

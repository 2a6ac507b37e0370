import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { JobError } from '../job/errors.js';
import type { JobSpec } from '../job/spec.js';
import { finishedRun } from '../run/previous-run.js';
import type { ControlledRun } from '../coordinator/control/controlled-run.js';
import { completesWithin } from '../util/deadline.js';
import type { NatsAddress } from './address.js';
import { JobPresence } from './job-presence.js';
import { leaseMs } from './lease-decisions.js';
import type { RegistryEntry } from './payloads.js';
import { decideRun, readLocalRun, restoreRun } from './restore.js';
import type { Seal } from './seal.js';
import { openStores, type Stores } from './stores.js';

export interface NatsOptions {
  readonly address: NatsAddress;
  /** Name of the job in NATS. */
  readonly job: string;
  /** Derived from the cluster's token; signs what Lockstep writes and verifies what it reads. */
  readonly seal?: Seal | undefined;
  /** Start over if the stored run is damaged or isn't signed with the token, instead of refusing to start. */
  readonly startOver?: boolean | undefined;
}

export interface NatsRun extends NatsOptions {
  readonly spec: JobSpec;
  readonly runDirectory: string;
  /** Receives messages for users until there is a coordinator. */
  readonly onNote: (message: string) => void;
}

/** Time that a start waits for NATS before it continues without it. */
const startLimitMs = 4_000;
const retryMs = 1_000;

/** A coordinator's use of NATS for its job. */
export interface OpenNats {
  /** Id for the run, if it has none yet. */
  readonly runId: string;
  /** Publishes the coordinator's events from now on. Call it before the coordinator starts. */
  observe(coordinator: ControlledRun): void;
  /** Delivers queued data within a time limit, and closes the connection. */
  close(): Promise<void>;
}

/**
 * Claims the job in the registry. If the run directory is empty and the store has an unfinished run, restores it.
 * If NATS is unreachable, the run starts without it, and connecting continues in the background.
 * @throws JobError JOB_IN_USE when another coordinator owns the job, BAD_RUN_DIRECTORY when the stored run is unusable.
 */
export async function openNats(run: NatsRun): Promise<OpenNats> {
  const opening = new Opening(run);
  try {
    await opening.begin();
    return opening.presence;
  } catch (error) {
    await opening.presence.close();
    throw error;
  }
}

/** Connects and claims the job, with any number of attempts. */
class Opening {
  readonly presence: JobPresence;
  /** Set once the run has started; its directory can't be restored any more. */
  #started = false;

  constructor(private readonly run: NatsRun) {
    const owner = `${hostname()}-${randomBytes(4).toString('hex')}`;
    this.presence = new JobPresence({ ...run, owner, seal: run.seal, startOver: run.startOver ?? false });
  }

  async begin(): Promise<void> {
    const local = await readLocalRun(this.run.runDirectory);
    if (local?.isFinished) throw finishedRun(this.run.runDirectory);
    this.presence.runId = decideRun(local, undefined, randomUUID()).runId;
    this.presence.mayResume = local === undefined;
    const claimed = this.#claim();
    claimed.catch((error: Error) => this.#started && this.presence.fail(error));
    await Promise.race([claimed, this.#startLimit()]);
    this.#started = true;
    this.presence.mayResume = false;
  }

  /** Resolves when the start should not wait any longer. */
  async #startLimit(): Promise<void> {
    const { presence } = this;
    await completesWithin(presence.connection.firstFailure, startLimitMs);
    const limit = performance.now() + leaseMs;
    const waits = () => presence.lease.waiting && presence.connection.isUp && performance.now() < limit;
    while (!presence.isClosing && (presence.takenOver !== undefined || waits())) await sleep(50);
  }

  /** Claims the job, and retries until that succeeds or is refused. */
  async #claim(): Promise<void> {
    const { presence } = this;
    const connection = await presence.connection.established;
    presence.serveRequests(connection);
    let reported = '';
    while (!presence.isClosing) {
      try {
        const stores = await openStores(connection);
        const before = await presence.lease.claim(stores.jobs);
        if (presence.takenOver) await this.#restore(stores, presence.takenOver);
        return this.#serve(connection, stores, before);
      } catch (error) {
        if (error instanceof JobError) throw error;
        const { message } = error as Error;
        if (message !== reported && presence.connection.isUp) presence.note(`NATS: not usable yet: ${message}`);
        reported = message;
        await sleep(retryMs, undefined, { ref: !this.#started });
      }
    }
  }

  async #restore(stores: Stores, entry: RegistryEntry): Promise<void> {
    const { spec, runDirectory: directory, seal, startOver = false } = this.run;
    const { presence } = this;
    const onNote = (message: string) => presence.note(message);
    if (await restoreRun({ stores, entry, spec, directory, seal, startOver, onNote })) presence.runId = entry.runId;
    presence.takenOver = undefined;
    await presence.lease.renew();
  }

  #serve(connection: NatsConnection, stores: Stores, before: RegistryEntry | undefined): void {
    const { presence } = this;
    presence.serve(connection, stores, before).catch((error: Error) => presence.note(`NATS: ${error.message}`));
  }
}

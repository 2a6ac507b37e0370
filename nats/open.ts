import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { JobError } from '../job/errors.js';
import type { JobSpec } from '../job/spec.js';
import { finishedRun } from '../run/previous-run.js';
import type { ControlledRun } from '../coordinator/control/controlled-run.js';
import type { NatsAddress } from './address.js';
import { JobPresence } from './job-presence.js';
import { leaseMs } from './lease-decisions.js';
import type { RegistryEntry } from './payloads.js';
import { decideRun, readLocalRun, restoreRun } from './restore.js';
import type { Seal } from './seal.js';
import { openStores, type Stores } from './stores.js';

export interface NatsOptions {
  readonly address: NatsAddress;
  /** Name of the job there. */
  readonly job: string;
  /** Made from the cluster's token: signs what Lockstep writes, and checks what it reads. */
  readonly seal?: Seal | undefined;
  /** Start over if the stored run is damaged or isn't signed with the token, instead of refusing to start. */
  readonly startOver?: boolean | undefined;
}

export interface NatsRun extends NatsOptions {
  readonly spec: JobSpec;
  readonly runDirectory: string;
  /** Told what a person should know while there is no coordinator yet. */
  readonly onNote: (message: string) => void;
}

/** Time that a start waits for NATS before it continues without. */
const startLimitMs = 4_000;
const retryMs = 1_000;

/** A job's place in NATS while a coordinator works on it. */
export interface OpenNats {
  /** Id for the run, if it has none yet. */
  readonly runId: string;
  /** Tells NATS of everything from now on; called before the coordinator starts. */
  observe(coordinator: ControlledRun): void;
  /** Delivers what is left, for a short time, and goes. */
  close(): Promise<void>;
}

/**
 * Takes the job in the registry and, where the run directory is empty and the store has a run to go on with, fills it.
 * Where NATS cannot be reached the run starts without; it is tried in the background from then on.
 * @throws JobError JOB_IN_USE when another coordinator works on the job, BAD_RUN_DIRECTORY when its run is unusable.
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

/** The way to a job's place in NATS, with as many attempts as it takes. */
class Opening {
  readonly presence: JobPresence;
  /** Whether the run has begun, so that it is too late to fill its directory. */
  #begun = false;

  constructor(private readonly run: NatsRun) {
    const owner = `${hostname()}-${randomBytes(4).toString('hex')}`;
    this.presence = new JobPresence({ ...run, owner, seal: run.seal, startOver: run.startOver ?? false });
  }

  async begin(): Promise<void> {
    const local = await readLocalRun(this.run.runDirectory);
    if (local?.isFinished) throw finishedRun(this.run.runDirectory);
    this.presence.runId = decideRun(local, undefined, randomUUID()).runId;
    this.presence.mayGoOn = local === undefined;
    const claimed = this.#claim();
    claimed.catch((error: Error) => this.#begun && this.presence.fail(error));
    await Promise.race([claimed, this.#enough()]);
    this.#begun = true;
    this.presence.mayGoOn = false;
  }

  /** Settles when a start should not wait any longer. */
  async #enough(): Promise<void> {
    const { presence } = this;
    await Promise.race([presence.link.firstFailure, sleep(startLimitMs)]);
    const limit = performance.now() + leaseMs;
    const waits = () => presence.lease.waiting && presence.link.isUp && performance.now() < limit;
    while (!presence.isClosing && (presence.takenOver !== undefined || waits())) await sleep(50);
  }

  /** Until it has succeeded, or is refused. */
  async #claim(): Promise<void> {
    const { presence } = this;
    const connection = await presence.link.connected;
    presence.serveRequests(connection);
    let complaint = '';
    while (!presence.isClosing) {
      try {
        const stores = await openStores(connection);
        const before = await presence.lease.claim(stores.jobs);
        if (presence.takenOver) await this.#goOn(stores, presence.takenOver);
        return this.#serve(connection, stores, before);
      } catch (error) {
        if (error instanceof JobError) throw error;
        const { message } = error as Error;
        if (message !== complaint && presence.link.isUp) presence.note(`NATS: cannot be used yet: ${message}`);
        complaint = message;
        await sleep(retryMs, undefined, { ref: !this.#begun });
      }
    }
  }

  async #goOn(stores: Stores, entry: RegistryEntry): Promise<void> {
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

import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { ControlledRun } from '../coordinator/control/controlled-run.js';
import type { RunView } from '../coordinator/state/run-view.js';
import { isEnd, type RunEvent } from '../coordinator/state/events.js';
import { subscribe } from '../coordinator/state/subscribe.js';
import { StepSum } from '../coordinator/state/step-sum.js';
import type { NatsAddress } from './address.js';
import { Archive } from './archive.js';
import { ask } from './ask.js';
import { serveControl } from './control-requests.js';
import { Lease } from './lease.js';
import { LastingConnection } from './connection.js';
import { metricsSubject } from './names.js';
import { largestMessage } from './object-chunks.js';
import { describeEvent, describeSteps, type MetricsMessage } from './messages.js';
import type { About, RegistryEntry } from './payloads.js';
import { advance, describeLeft, keepDelivering, noProgress, resumed } from './progress.js';
import { Publisher } from './publisher.js';
import { publishedKeys } from './published.js';
import type { Seal } from './seal.js';
import type { Stores } from './stores.js';

export interface PresenceOptions {
  readonly job: string;
  readonly owner: string;
  readonly runDirectory: string;
  readonly address: NatsAddress;
  /** Signs entries, index and replies; undefined: the run has no token. */
  readonly seal: Seal | undefined;
  /** Start over if NATS has nothing signed with the token, instead of refusing to start. */
  readonly startOver: boolean;
  /** Receives messages for users until there is a coordinator. */
  readonly onNote: (message: string) => void;
}

const metricsMs = 500;
const retryMs = 1_000;
/** Time limit for another owner's reply. */
const ownerMs = 1_500;

/** Publishes a run to NATS and holds its lease. Handles its own errors; the run never waits for it. */
export class JobPresence {
  runId = '';
  /** True while a run from the registry may be resumed, because the directory has none yet. */
  mayResume = false;
  /** Entry of such a run while it is being restored. */
  takenOver: RegistryEntry | undefined;
  readonly connection: LastingConnection;
  readonly lease: Lease;
  readonly #publisher = new Publisher();
  readonly #steps = new StepSum();
  #archive: Archive | undefined;
  #coordinator: ControlledRun | undefined;
  #nats: NatsConnection | undefined;
  #progress = noProgress;
  #failure: Error | undefined;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: PresenceOptions) {
    const { address, job, owner, seal, startOver } = options;
    const onNote = (message: string) => this.note(message);
    this.connection = new LastingConnection({ address, name: `lockstep ${job}`, onNote });
    const describe = (before?: RegistryEntry) => this.#describe(before);
    const mayReplace = () => !this.mayResume || startOver;
    const answers = (other: string) => this.#answers(other);
    this.lease = new Lease({
      ...{ job, owner, seal, mayReplace, answers, describe, onNote },
      onLost: (error) => this.fail(error),
    });
    this.connection.onReconnect = () => void this.lease.renew();
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  note(message: string): void {
    if (this.#coordinator) this.#coordinator.events.emit({ type: 'note', message });
    else this.options.onNote(message);
  }

  /** Ends the run because another coordinator owns the job. */
  fail(error: Error): void {
    if (this.#closing) return;
    this.#failure ??= error;
    this.#publisher.stop();
    this.#archive?.stop();
    this.#coordinator?.fail(this.#failure);
  }

  observe(coordinator: ControlledRun): void {
    this.#coordinator = coordinator;
    subscribe(coordinator.events, 'NATS', (event) => this.#handle(event), 'continue');
    coordinator.view().then(
      (view) => this.#prepared(view),
      () => undefined,
    );
    if (this.#failure) coordinator.fail(this.#failure);
  }

  /** Starts publishing, once the job is claimed. @param before - previous entry of the registry. */
  async serve(connection: NatsConnection, stores: Stores, before: RegistryEntry | undefined): Promise<void> {
    const { job, runDirectory: directory, seal } = this.options;
    const { runId } = this;
    const common = { isOpen: () => this.#isOpen, onNote: (message: string) => this.note(message) };
    const keptRuns = before && before.runId !== runId ? [before.runId] : [];
    const aboutIndex = () => ({ ...this.#about(), step: this.#progress.step });
    const archive = (this.#archive = new Archive({
      ...{ job, runId, directory, seal, about: aboutIndex, keptRuns },
      ...common,
    }));
    if (this.#failure) archive.stop();
    if (this.#progress.term > 0) archive.request();
    void archive.run(stores);
    this.#timer = setInterval(() => this.#publishMetrics(connection), metricsMs).unref();
    const published = await this.#readPublished(stores);
    const maxBytes = () => largestMessage(connection);
    await this.#publisher.run({ stores, published, maxBytes, about: () => this.#about(), ...common });
  }

  /** Delivers queued data within a time limit, and closes the connection. */
  async close(): Promise<void> {
    if (!this.#failure && this.#coordinator) await this.#deliverRest();
    this.#closing = true;
    if (!this.#failure) await this.lease.release();
    clearInterval(this.#timer);
    this.lease.drop();
    this.#archive?.stop();
    this.#publisher.stop();
    await this.connection.close();
  }

  get #isOpen(): boolean {
    return this.connection.isUp && this.lease.isValid;
  }

  #about(): About {
    const { job, owner } = this.options;
    return { v: 1, job, runId: this.runId, owner, term: this.#progress.term };
  }

  #describe(before: RegistryEntry | undefined): RegistryEntry {
    const updatedAt = new Date().toISOString();
    const { owner } = this.options;
    if (before && this.mayResume && before.owner !== owner && before.state !== 'finished') this.takenOver = before;
    if (this.takenOver) {
      const state = this.#closing ? 'failed' : 'starting';
      return { ...this.takenOver, owner, state, reason: `taken over by ${owner}`, address: null, updatedAt };
    }
    const about = { ...this.#about(), ...this.#progress, updatedAt };
    const isOver = isEnd(about.state);
    if (isOver === this.#closing) return about;
    // Until all files are stored, no other coordinator may resume the run. After that, none has to wait for the lease.
    if (isOver) return { ...about, state: 'reporting', reason: 'storing the last files' };
    return { ...about, state: 'failed', reason: 'the coordinator ended before the run started' };
  }

  #handle(event: RunEvent): void {
    const before = this.#progress;
    this.#progress = advance(before, event);
    if (event.type === 'step') this.#steps.add(event.record);
    const occurrence = describeEvent(event, this.#progress);
    if (occurrence) this.#publisher.add(occurrence);
    if (event.type === 'checkpoint') this.#archive?.request();
    if (before.state !== this.#progress.state) void this.lease.renew();
  }

  #prepared(view: RunView): void {
    this.runId = view.runId;
    this.#progress = resumed(this.#progress, view);
    this.#archive?.request();
    void this.lease.renew();
  }

  /** Answers requests once the job is claimed. */
  serveRequests(connection: NatsConnection): void {
    const { job, owner, seal } = this.options;
    this.#nats = connection;
    const coordinator = () => {
      if (this.#coordinator) return this.#coordinator;
      throw new Error('control: expected a coordinator, got one that is starting; retry');
    };
    const source = {
      owner: () => ({ owner, runId: this.runId }),
      status: async () => coordinator().status(),
      history: async (points: number) => coordinator().history(points),
      control: async () => coordinator().control(),
    };
    const onNote = (message: string) => this.note(message);
    serveControl(connection, { job, seal, source, isOurs: () => this.lease.isValid, onNote });
  }

  /** True if a coordinator with the token replies as this owner. */
  async #answers(owner: string): Promise<boolean> {
    if (!this.#nats) return false;
    const { job, seal } = this.options;
    const question = { job, verb: 'owner', request: {}, seal, timeoutMs: ownerMs } as const;
    const answer = await ask(this.#nats, question).catch(() => 'timeout' as const);
    return typeof answer !== 'string' && answer.ok && answer.reply['owner'] === owner;
  }

  async #readPublished(stores: Stores): Promise<ReadonlySet<string>> {
    for (;;) {
      try {
        return await publishedKeys(stores, this.options.job, this.runId);
      } catch (error) {
        if (this.#closing) return new Set();
        if (this.connection.isUp)
          this.note(`NATS: expected to read the event stream, got: ${(error as Error).message}`);
        await sleep(retryMs, undefined, { ref: false });
      }
    }
  }

  #publishMetrics(connection: NatsConnection): void {
    if (!this.#isOpen) return;
    const steps = this.#steps.take();
    if (!steps) return;
    const message: MetricsMessage = { ...this.#about(), at: new Date().toISOString(), ...describeSteps(steps) };
    try {
      connection.publish(metricsSubject(this.options.job), JSON.stringify(message));
    } catch {
      // The connection has just ended; metrics aren't queued.
    }
  }

  async #deliverRest(): Promise<void> {
    this.#archive?.request(true);
    const begin = performance.now();
    for (;;) {
      const left = { events: this.#publisher.left, files: !(this.#archive?.isDone ?? false) };
      const waitedMs = performance.now() - begin;
      if (!keepDelivering({ ...left, waitedMs, isOpen: this.#isOpen })) {
        const missing = describeLeft(left);
        if (missing !== undefined) this.note(`NATS: ${this.connection.url} did not receive ${missing}`);
        return;
      }
      await sleep(20);
    }
  }
}

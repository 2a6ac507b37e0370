import type { JobManifest } from '../../job/manifest.js';
import { monotonicMs } from '../../util/clock.js';
import { chunkCount } from '../../proto/chunks.js';
import { ClusterError } from '../../proto/errors.js';
import type { Heartbeat, Ready, ReceivedFromWorker } from '../../proto/messages.js';
import type { LinkResult } from '../../transport/local/channel.js';
import { checkBeatKey, checkHeartbeat, checkHello, checkHolding, checkReady, printable } from './check-messages.js';
import { engineClassOf } from '../../run/engine-class.js';
import type { EngineDoor } from './admission.js';
import type { RunEvents } from '../state/events.js';
import { refuse } from './hello.js';
import type { Roster } from './roster.js';
import { type JoinStream, type WorkerLink, WorkerSession } from './session.js';
import type { Traffic } from './traffic.js';
import type { Trainer } from '../stepping/trainer.js';

/** Orders and vectors that may wait for a worker to read them. */
const maxUnread = { orders: 1_000, vectors: 4 };

export interface ClusterServiceOptions {
  readonly roster: Roster;
  readonly trainer: Trainer;
  readonly events: RunEvents;
  readonly door: EngineDoor;
  readonly manifest: JobManifest;
  readonly traffic?: Traffic;
  /** Bytes received so far on the connection from a peer, by its address and port. */
  readonly bytesFrom?: ((peer: string) => number) | undefined;
  /** Of the workers that this process started, by their ids. */
  readonly links?: ReadonlyMap<string, WorkerLink>;
  readonly welcome: { readonly jobJson: string; readonly term: number; readonly heartbeatMs: number };
}

/** Serves Join: turns streams into sessions, and their messages into calls. */
export class ClusterService {
  #closed: string | undefined;
  readonly #saidReady = new WeakSet<WorkerSession>();
  readonly #notedPlacements = new Set<string>();

  constructor(private readonly options: ClusterServiceOptions) {}

  /** Serves a stream whose first message has arrived; see `awaitHello`. */
  join(stream: JoinStream): void {
    if (stream.cancelled) return;
    let session: WorkerSession | undefined;
    let isOver = false;
    stream.on('data', (message: ReceivedFromWorker) => {
      if (isOver) return;
      try {
        if (session) this.#received(session, message);
        else session = this.#admit(stream, message);
      } catch (error) {
        isOver = session === undefined;
        this.#failed(session ?? stream, error);
      }
    });
    const ended = () => {
      if (session) this.#gone(session, 'lost', new ClusterError('LOST', 'its connection ended'));
    };
    for (const event of ['end', 'cancelled', 'error']) stream.on(event, ended);
    stream.resume();
  }

  /**
   * Records a heartbeat from any connection. @returns true if its worker has joined.
   * @throws ClusterError DUPLICATE_WORKER when it lacks the key of that worker's Hello; the session is unchanged.
   */
  heard(heartbeat: Heartbeat): boolean {
    const session = this.options.roster.get(heartbeat.workerId ?? '');
    if (!session) return false;
    checkBeatKey(heartbeat, session.hello);
    try {
      this.#heartbeat(session, heartbeat);
    } catch (error) {
      this.#failed(session, error);
      throw error;
    }
    return true;
  }

  /** A worker was silent for too long; the roster has dropped it. */
  lost(session: WorkerSession, error: ClusterError): void {
    this.options.events.emit({ type: 'worker', change: 'lost', workerId: session.workerId, reason: error.message });
    this.options.trainer.dispatcher.workerGone(session);
  }

  /**
   * Fixes the run's engine class by the workers that are ready, and refuses those of another.
   * @returns false when workers are to be waited for again, as some were refused or none was there.
   */
  async beforeFirstStep(): Promise<boolean> {
    const { door, roster } = this.options;
    const others = await door.fixClass((workerId) => roster.get(workerId)?.ready !== undefined);
    for (const [workerId, error] of others) {
      const session = roster.get(workerId);
      if (session) this.#gone(session, 'lost', error);
    }
    return door.run !== undefined && others.size === 0;
  }

  /** Sends every worker home, and whoever joins from now on. */
  close(reason: string): void {
    this.#closed = reason;
    this.#dismiss((session) => session.finish(reason));
  }

  /** Ends every session after a failure of ours: workers wait for a coordinator that goes on with the run. */
  abandon(error: Error): void {
    this.#dismiss((session) =>
      session.refuse(new ClusterError('UNREACHABLE', `join: the coordinator failed: ${error.message}`)),
    );
  }

  #dismiss(end: (session: WorkerSession) => void): void {
    for (const session of this.options.roster.sessions) {
      this.options.roster.remove(session);
      end(session);
    }
  }

  #admit(stream: JoinStream, message: ReceivedFromWorker): WorkerSession {
    const { roster, events, welcome, trainer } = this.options;
    if (message.message !== 'hello') {
      throw new ClusterError('BAD_MESSAGE', `join: expected Hello first, got ${kindOf(message)}`);
    }
    checkHello(message.hello);
    const link = this.#linkOf(message.hello.workerId);
    const session = new WorkerSession(message.hello, stream, performance.now(), this.options.traffic, link);
    const peer = stream.getPeer();
    session.countBytes(() => this.options.bytesFrom?.(peer) ?? 0);
    link?.listen(
      (result) => this.#resultByLink(session, result),
      () => this.#gone(session, 'lost', new ClusterError('LOST', 'its connection ended')),
    );
    if (this.#closed !== undefined) {
      session.finish(this.#closed);
      return session;
    }
    roster.add(session);
    session.send({ welcome });
    const { workerId, host, pid } = message.hello;
    events.emit({ type: 'worker', change: 'joined', workerId, reason: `${host}, process ${pid}` });
    trainer.dispatcher.workerChanged('joined');
    return session;
  }

  /** The link to a worker, if it is for vectors of this job. */
  #linkOf(workerId: string): WorkerLink | undefined {
    const link = this.options.links?.get(workerId);
    return link?.isOpen && link.file.open(this.options.manifest.parameterCount) ? link : undefined;
  }

  /**
   * Takes a node's result from the link. Orders of the worker's previous session may still be in progress; their
   * results are as good. An ignored result is skipped in the file too, as a lost worker that returns still delivers.
   */
  #resultByLink(session: WorkerSession, { gradient, ...result }: LinkResult): void {
    const isPresent = this.options.roster.get(session.workerId) === session;
    if (!isPresent || !session.ready) return session.link!.file.skip(gradient);
    session.lastHeardMs = performance.now();
    session.traffic.addReceived('gradients', gradient.bytes);
    try {
      for (const chunk of session.link!.file.chunks(gradient, `partial from ${session.workerId}`)) {
        this.options.trainer.receive(session, { message: 'partial', partial: { ...result, ...chunk } });
      }
    } catch (error) {
      this.#failed(session, error);
    }
  }

  #received(session: WorkerSession, message: ReceivedFromWorker): void {
    const { trainer } = this.options;
    if (this.options.roster.get(session.workerId) !== session) return;
    session.lastHeardMs = performance.now();
    switch (message.message) {
      case 'hello':
        throw new ClusterError('BAD_MESSAGE', `join: expected one Hello from ${session.workerId}, got a second`);
      case 'ready':
        return this.#ready(session, message.ready);
      case 'heartbeat':
        return this.#heartbeat(session, message.heartbeat);
      case 'holding':
        checkHolding(message.holding, this.options.manifest.shards.length, session.workerId);
        session.holding = new Set(message.holding.shards);
        return trainer.dispatcher.workerChanged('holding');
      case 'partial':
      case 'rows':
        this.#checkAdmitted(session);
        return this.#result(session, message);
      case 'failure':
        return this.#gone(session, 'lost', new ClusterError('ENGINE_FAILED', message.failure.message));
      case 'leaving':
        return this.#gone(session, 'left', new ClusterError('STOPPED', message.leaving.reason));
      default:
        message satisfies never;
        throw new ClusterError(
          'BAD_CHUNK',
          `join: got ${kindOf(message)} from ${session.workerId}; damaged on the way`,
        );
    }
  }

  #heartbeat(session: WorkerSession, heartbeat: Heartbeat): void {
    checkHeartbeat(heartbeat, session.workerId);
    session.lastHeardMs = performance.now();
    session.heartbeat = heartbeat;
    noteClock(session, heartbeat);
    this.#checkUnread(session);
  }

  #result(session: WorkerSession, message: ReceivedFromWorker & { message: 'partial' | 'rows' }): void {
    const { trainer } = this.options;
    if (message.message === 'rows') session.traffic.addReceived('rows', message.rows.data.byteLength);
    else session.traffic.addReceived('gradients', message.partial.data.byteLength);
    trainer.receive(session, message);
  }

  /** A worker has compiled and run its programs: it may compute once the door has let it in. */
  #ready(session: WorkerSession, ready: Ready): void {
    const { door, trainer } = this.options;
    const { workerId } = session;
    checkReady(ready, workerId);
    if (this.#saidReady.has(session)) {
      throw new ClusterError('BAD_MESSAGE', `join: expected one Ready from ${workerId}, got a second`);
    }
    this.#saidReady.add(session);
    if (door.admit(workerId, engineClassOf(ready))) return this.#admitted(session, ready);
    const marked = () => this.#admitted(session, ready);
    door.markMixed().then(marked, (error: Error) => trainer.fail(error));
  }

  #admitted(session: WorkerSession, ready: Ready): void {
    const { events, trainer, roster } = this.options;
    const { workerId } = session;
    if (roster.get(workerId) !== session) return;
    session.ready = ready;
    const { engineVersion, device, lowering, threads, compileMs, fingerprint } = ready;
    const engine = `${engineVersion}, ${device}, ${lowering}, ${threads} thread(s)`;
    const reason = `${engine}, fingerprint ${fingerprint.slice(0, 12)}, compiled in ${compileMs.toFixed(0)} ms`;
    events.emit({ type: 'worker', change: 'ready', workerId, reason });
    this.#notePlacement(ready);
    trainer.dispatcher.workerChanged('ready');
  }

  /** A GPU that leaves much to the CPU is slow without a word; said once for all workers of a kind. */
  #notePlacement({ device, placement = '' }: Ready): void {
    if (placement === '' || this.#notedPlacements.has(placement) || this.#notedPlacements.size >= 8) return;
    this.#notedPlacements.add(placement);
    this.options.events.emit({ type: 'note', message: `${device}: ${placement}` });
  }

  /** Nothing counts of a worker whose engine is not known. */
  #checkAdmitted(session: WorkerSession): void {
    if (session.ready) return;
    throw new ClusterError('BAD_MESSAGE', `join: expected Ready from ${session.workerId} before any result, got none`);
  }

  /** What is sent to a worker waits in memory until it reads; one that never does is dropped. */
  #checkUnread(session: WorkerSession): void {
    const { parameterCount, stateCount } = this.options.manifest;
    const limit = maxUnread.orders + maxUnread.vectors * chunkCount(parameterCount + stateCount);
    const unread = session.stream.writableLength;
    if (unread <= limit) return;
    throw new ClusterError(
      'LOST',
      `join: expected ${session.workerId} to read what it is sent, got ${unread} messages unread; its shards go to others`,
    );
  }

  /** A message could not be handled: the worker's fault ends its session, ours the run. */
  #failed(from: WorkerSession | JoinStream, error: unknown): void {
    if (!(error instanceof ClusterError)) this.options.trainer.fail(error as Error);
    else if (from instanceof WorkerSession) this.#gone(from, 'lost', error);
    else refuse(from, error);
  }

  #gone(session: WorkerSession, change: 'lost' | 'left', error: ClusterError): void {
    if (!this.options.roster.remove(session)) return;
    session.refuse(error);
    const { workerId } = session;
    this.options.events.emit({ type: 'worker', change, workerId, reason: printable(error.message) });
    this.options.trainer.dispatcher.workerGone(session);
  }
}

function noteClock({ clock }: WorkerSession, { sentMs }: Heartbeat): void {
  if (sentMs !== undefined && sentMs > 0 && sentMs < Infinity) clock.cameIn(sentMs, monotonicMs());
}

/** What a message is called that may be none. */
function kindOf({ message }: { readonly message?: string }): string {
  return message ?? 'an empty message';
}

import type { JobManifest } from '../../job/manifest.js';
import { chunkCount } from '../../proto/chunks.js';
import { ClusterError } from '../../proto/errors.js';
import type { EvaluationRows, Heartbeat, Partial, Ready, ReceivedFromWorker } from '../../proto/messages.js';
import { GrpcTransport, type JoinStream } from '../../transport/grpc-transport.js';
import type { LocalTransports } from '../../transport/local/coordinator-end.js';
import { monotonicMs } from '../../util/clock.js';
import type { RunEvents } from '../state/events.js';
import type { EngineAdmission } from './admission.js';
import { checkBeatKey, checkHeartbeat, checkHello, checkHolding, checkReady, printable } from './check-messages.js';
import { checkArithmetic, describeTarget, engineClassOf } from './engine-class.js';
import type { Roster } from './roster.js';
import { rejectStream, WorkerSession } from './session.js';
import type { Traffic } from './traffic.js';

/** Maximum number of messages and vectors that a worker may leave unread. */
const maxUnread = { messages: 1_000, vectors: 4 };

/** Receiver of the workers' results and of changes in membership: the dispatcher. */
export interface WorkReceiver {
  /** A worker joined, became ready, or now holds more shards. */
  workerChanged(change: 'joined' | 'ready' | 'holding'): void;
  /** A worker was lost or left; it is no longer in the roster. */
  workerGone(session: WorkerSession): void;
  /** @throws ClusterError BAD_MESSAGE, BAD_CHUNK if the result doesn't fit the job; the state is then unchanged. */
  receivePartial(session: WorkerSession, partial: Partial): void;
  /** @throws ClusterError as `receivePartial` does. */
  receiveRows(session: WorkerSession, rows: EvaluationRows): void;
}

export interface ClusterServiceOptions {
  readonly roster: Roster;
  readonly work: WorkReceiver;
  readonly events: RunEvents;
  readonly admission: EngineAdmission;
  readonly manifest: JobManifest;
  readonly traffic?: Traffic;
  /** Bytes received so far on the connection from a peer, by its `ADDRESS:PORT`. */
  readonly bytesFrom?: ((peer: string) => number) | undefined;
  readonly localTransports?: LocalTransports;
  readonly welcome: { readonly jobJson: string; readonly term: number; readonly heartbeatMs: number };
  /** Called with an error of this process, which ends the run. */
  readonly onError: (error: Error) => void;
}

/** Serves Join: turns streams into sessions, and their messages into calls. */
export class ClusterService {
  #closed: string | undefined;
  readonly #sentReady = new WeakSet<WorkerSession>();
  readonly #reportedPlacements = new Set<string>();

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

  /** To be called when the roster has dropped a silent worker. */
  lost(session: WorkerSession, error: ClusterError): void {
    this.options.events.emit({ type: 'worker', change: 'lost', workerId: session.workerId, reason: error.message });
    this.options.work.workerGone(session);
  }

  /**
   * Fixes the run's engine class to that of most ready workers, and rejects the others.
   * @returns false if the run must wait for workers again, because some were rejected or none was ready.
   */
  async beforeFirstStep(): Promise<boolean> {
    const { admission, roster } = this.options;
    const others = await admission.fixClass((workerId) => roster.get(workerId)?.ready !== undefined);
    for (const [workerId, error] of others) {
      const session = roster.get(workerId);
      if (session) this.#gone(session, 'lost', error);
    }
    return admission.run !== undefined && others.size === 0;
  }

  /** Ends every session because the job is over, including those of workers that join later. */
  close(reason: string): void {
    this.#closed = reason;
    this.#endAll((session) => session.finish(reason));
  }

  /** Ends every session because this process failed. Workers wait for a coordinator that resumes the run. */
  abandon(error: Error): void {
    const reason = new ClusterError('UNREACHABLE', `join: the coordinator failed: ${error.message}`);
    this.#endAll((session) => session.reject(reason));
  }

  #endAll(end: (session: WorkerSession) => void): void {
    for (const session of this.options.roster.sessions) {
      this.options.roster.remove(session);
      end(session);
    }
  }

  #admit(stream: JoinStream, message: ReceivedFromWorker): WorkerSession {
    const { roster, events, welcome, work } = this.options;
    if (message.message !== 'hello') {
      throw new ClusterError('BAD_MESSAGE', `join: expected Hello first, got ${kindOf(message)}`);
    }
    checkHello(message.hello);
    const session = this.#open(stream, message.hello);
    if (this.#closed !== undefined) {
      session.finish(this.#closed);
      return session;
    }
    roster.add(session);
    session.transport.listen({
      onPartial: (partial) => this.#partial(session, partial),
      onLost: (error) => this.#gone(session, 'lost', error),
    });
    session.send({ welcome });
    const { workerId, host, pid } = message.hello;
    events.emit({ type: 'worker', change: 'joined', workerId, reason: `${host}, process ${pid}` });
    work.workerChanged('joined');
    return session;
  }

  /** Opens a session with the fastest transport that its worker has. */
  #open(stream: JoinStream, hello: WorkerSession['hello']): WorkerSession {
    const { traffic, bytesFrom, manifest, localTransports } = this.options;
    const { workerId } = hello;
    const { parameterCount } = manifest;
    const transport =
      localTransports?.open(workerId, parameterCount) ?? new GrpcTransport(stream, { workerId, parameterCount });
    const session = new WorkerSession({ hello, stream, transport, nowMs: performance.now(), traffic });
    const peer = stream.getPeer();
    session.countBytes(() => bytesFrom?.(peer) ?? 0);
    return session;
  }

  #received(session: WorkerSession, message: ReceivedFromWorker): void {
    if (!this.#isPresent(session)) return;
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
        return this.options.work.workerChanged('holding');
      case 'partial':
        // The transport delivers it.
        return;
      case 'rows':
        return this.#rows(session, message.rows);
      case 'failure':
        return this.#gone(session, 'lost', new ClusterError('ENGINE_FAILED', message.failure.message));
      case 'leaving':
        return this.#gone(session, 'left', new ClusterError('STOPPED', message.leaving.reason));
      default:
        message satisfies never;
        throw new ClusterError(
          'BAD_CHUNK',
          `join: got ${kindOf(message)} from ${session.workerId}; damaged in transit`,
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

  #partial(session: WorkerSession, partial: Partial): void {
    if (!this.#isPresent(session)) return;
    try {
      session.lastHeardMs = performance.now();
      checkAdmitted(session);
      session.traffic.addReceived('gradients', partial.data.byteLength);
      this.options.work.receivePartial(session, partial);
    } catch (error) {
      this.#failed(session, error);
    }
  }

  #rows(session: WorkerSession, rows: EvaluationRows): void {
    checkAdmitted(session);
    session.traffic.addReceived('rows', rows.data.byteLength);
    this.options.work.receiveRows(session, rows);
  }

  /** A worker has compiled and run its programs. It may compute once it is admitted. */
  #ready(session: WorkerSession, ready: Ready): void {
    const { admission, manifest, onError } = this.options;
    const { workerId } = session;
    checkReady(ready, workerId);
    checkArithmetic(ready, manifest, workerId);
    if (this.#sentReady.has(session)) {
      throw new ClusterError('BAD_MESSAGE', `join: expected one Ready from ${workerId}, got a second`);
    }
    this.#sentReady.add(session);
    if (admission.admit(workerId, engineClassOf(ready))) return this.#admitted(session, ready);
    const marked = () => this.#admitted(session, ready);
    admission.markMixed().then(marked, onError);
  }

  #admitted(session: WorkerSession, ready: Ready): void {
    const { events, work, admission, onError } = this.options;
    if (!this.#isPresent(session)) return;
    session.ready = ready;
    const { engineVersion, device, lowering, threads, compileMs, fingerprint } = ready;
    const target = describeTarget(ready);
    if (target !== undefined) admission.noteTarget(target).catch(onError);
    const counted = `${threads} thread${threads === 1 ? '' : 's'}`;
    const engine = `${engineVersion}, ${target ?? `${device}, ${lowering}`}, ${counted}`;
    const reason = `${engine}, fingerprint ${fingerprint.slice(0, 12)}, compiled in ${compileMs.toFixed(0)} ms`;
    events.emit({ type: 'worker', change: 'ready', workerId: session.workerId, reason });
    this.#reportPlacement(ready);
    work.workerChanged('ready');
  }

  /** Reports once per kind of worker that its GPU leaves operations to the CPU, which is slow. */
  #reportPlacement({ device, placement = '' }: Ready): void {
    const reported = this.#reportedPlacements;
    if (placement === '' || reported.has(placement) || reported.size >= 8) return;
    reported.add(placement);
    this.options.events.emit({ type: 'note', message: `${device}: ${placement}` });
  }

  #isPresent(session: WorkerSession): boolean {
    return this.options.roster.get(session.workerId) === session;
  }

  /** Messages to a worker wait in memory until it reads them. A worker that never reads them is dropped. */
  #checkUnread(session: WorkerSession): void {
    const { parameterCount, stateCount } = this.options.manifest;
    const limit = maxUnread.messages + maxUnread.vectors * chunkCount(parameterCount + stateCount);
    const unread = session.stream.writableLength;
    if (unread <= limit) return;
    throw new ClusterError('LOST', `join: expected ${session.workerId} to read its messages, got ${unread} unread`);
  }

  /** A message could not be handled. A worker's error ends its session; an error of this process ends the run. */
  #failed(from: WorkerSession | JoinStream, error: unknown): void {
    if (!(error instanceof ClusterError)) this.options.onError(error as Error);
    else if (from instanceof WorkerSession) this.#gone(from, 'lost', error);
    else rejectStream(from, error);
  }

  #gone(session: WorkerSession, change: 'lost' | 'left', error: ClusterError): void {
    if (!this.options.roster.remove(session)) return;
    session.reject(error);
    const { workerId } = session;
    this.options.events.emit({ type: 'worker', change, workerId, reason: printable(error.message) });
    this.options.work.workerGone(session);
  }
}

function noteClock({ clock }: WorkerSession, { sentMs }: Heartbeat): void {
  if (sentMs !== undefined && sentMs > 0 && sentMs < Infinity) clock.cameIn(sentMs, monotonicMs());
}

/** @throws ClusterError BAD_MESSAGE if the worker's engine isn't known yet. */
function checkAdmitted({ ready, workerId }: WorkerSession): void {
  if (ready) return;
  throw new ClusterError('BAD_MESSAGE', `join: expected Ready from ${workerId} before any result, got none`);
}

/** Name of a message, which may be empty. */
function kindOf({ message }: { readonly message?: string }): string {
  return message ?? 'an empty message';
}

import { ClusterError } from '../proto/errors.js';
import type { Hello, Ready, ReceivedFromWorker } from '../proto/messages.js';
import { PROTOCOL_VERSION } from '../proto/services.js';
import { decideEngine } from './decisions.js';
import type { RunEvents } from './events.js';
import type { Roster } from './roster.js';
import { type JoinStream, WorkerSession } from './session.js';
import type { Trainer } from './trainer.js';

/** How long a connection may stay without saying who it is. */
const helloLimitMs = 10_000;
/** Longest line of text taken from a worker. */
const maxText = 200;

export interface ClusterServiceOptions {
  readonly roster: Roster;
  readonly trainer: Trainer;
  readonly events: RunEvents;
  readonly welcome: { readonly jobJson: string; readonly term: number; readonly heartbeatMs: number };
}

/** Serves Join: turns streams into sessions, and their messages into calls. */
export class ClusterService {
  /** What the run computes with: the engine of the first worker that was ready. */
  engine: Ready | undefined;
  #closed: string | undefined;

  constructor(private readonly options: ClusterServiceOptions) {}

  join(stream: JoinStream): void {
    let session: WorkerSession | undefined;
    const refuse = (error: ClusterError) => new WorkerSession(noHello, stream, performance.now()).refuse(error);
    const silent = setTimeout(() => {
      refuse(new ClusterError('BAD_MESSAGE', `join: expected Hello within ${helloLimitMs / 1000} s, got nothing`));
    }, helloLimitMs);
    stream.on('data', (message: ReceivedFromWorker) => {
      clearTimeout(silent);
      try {
        if (session) this.#received(session, message);
        else session = this.#admit(stream, message);
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        if (session) this.#gone(session, 'lost', error);
        else refuse(error);
      }
    });
    const ended = () => {
      clearTimeout(silent);
      if (session) this.#gone(session, 'lost', new ClusterError('LOST', 'its connection ended'));
    };
    for (const event of ['end', 'cancelled', 'error']) stream.on(event, ended);
  }

  /** A worker was silent for too long; the roster has dropped it. */
  lost(session: WorkerSession, error: ClusterError): void {
    this.options.events.emit({ type: 'worker', change: 'lost', workerId: session.workerId, reason: error.message });
    this.options.trainer.dispatcher.workerGone(session);
  }

  /** Sends every worker home, and whoever joins from now on. */
  close(reason: string): void {
    this.#closed = reason;
    for (const session of this.options.roster.sessions) {
      this.options.roster.remove(session);
      session.finish(reason);
    }
  }

  #admit(stream: JoinStream, message: ReceivedFromWorker): WorkerSession {
    const { roster, events, welcome, trainer } = this.options;
    if (message.message !== 'hello') {
      throw new ClusterError('BAD_MESSAGE', `join: expected Hello first, got ${message.message ?? 'an empty message'}`);
    }
    checkHello(message.hello);
    const session = new WorkerSession(message.hello, stream, performance.now());
    if (this.#closed !== undefined) {
      session.finish(this.#closed);
      return session;
    }
    roster.add(session);
    session.send({ welcome });
    const { workerId, host, pid } = message.hello;
    events.emit({ type: 'worker', change: 'joined', workerId, reason: `${host}, process ${pid}` });
    trainer.dispatcher.workerChanged(session, 'joined');
    return session;
  }

  #received(session: WorkerSession, message: ReceivedFromWorker): void {
    const { trainer, events } = this.options;
    if (this.options.roster.get(session.workerId) !== session) return;
    session.lastHeardMs = performance.now();
    switch (message.message) {
      case 'hello':
        throw new ClusterError('BAD_MESSAGE', `join: expected one Hello from ${session.workerId}, got a second`);
      case 'ready': {
        this.engine ??= message.ready;
        const problem = decideEngine(this.engine, message.ready, session.workerId);
        if (problem !== undefined) throw new ClusterError('OTHER_ENGINE', problem);
        const { engineVersion, device, lowering, threads, compileMs } = message.ready;
        session.ready = message.ready;
        const reason = `${engineVersion}, ${device}, ${lowering}, ${threads} thread(s), compiled in ${compileMs.toFixed(0)} ms`;
        events.emit({ type: 'worker', change: 'ready', workerId: session.workerId, reason });
        return trainer.dispatcher.workerChanged(session, 'ready');
      }
      case 'heartbeat':
        session.heartbeat = message.heartbeat;
        return;
      case 'holding':
        session.holding = new Set(message.holding.shards);
        return trainer.dispatcher.workerChanged(session, 'holding');
      case 'partial':
      case 'rows':
        return trainer.receive(session, message);
      case 'failure':
        return this.#gone(session, 'lost', new ClusterError('ENGINE_FAILED', message.failure.message));
      case 'leaving':
        return this.#gone(session, 'left', new ClusterError('STOPPED', message.leaving.reason));
      default:
        message satisfies never;
        throw new ClusterError('BAD_MESSAGE', `join: got an empty message from ${session.workerId}`);
    }
  }

  #gone(session: WorkerSession, change: 'lost' | 'left', error: ClusterError): void {
    if (!this.options.roster.remove(session)) return;
    session.refuse(error);
    this.options.events.emit({ type: 'worker', change, workerId: session.workerId, reason: error.message });
    this.options.trainer.dispatcher.workerGone(session);
  }
}

const noHello: Hello = { protocolVersion: 0, workerId: '', host: '', pid: 0, runtime: '' };

/** @throws ClusterError when a worker of another version, or without a usable id, wants to join. */
export function checkHello(hello: Hello): void {
  const { workerId, protocolVersion, host, runtime } = hello;
  if (protocolVersion !== PROTOCOL_VERSION) {
    throw new ClusterError(
      'PROTOCOL_VERSION',
      `join: expected protocol version ${PROTOCOL_VERSION}, got ${protocolVersion} from worker ${workerId.slice(0, maxText)}; ` +
        'install the same Lockstep version on both sides',
    );
  }
  if (workerId.length < 1 || workerId.length > maxText || host.length > maxText || runtime.length > maxText) {
    throw new ClusterError(
      'BAD_MESSAGE',
      `join: expected a worker id of 1 to ${maxText} characters, got ${workerId.length}`,
    );
  }
}

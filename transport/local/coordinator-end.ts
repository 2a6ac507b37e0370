import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { ClusterError } from '../../proto/errors.js';
import type { Compute } from '../../proto/messages.js';
import type { OutgoingVector } from '../outgoing-vector.js';
import type { TransportListener, WorkerTransport } from '../worker-transport.js';
import { LocalChannel, type LocalCompute, type LocalResult } from './channel.js';
import { SharedFile } from './shared-file.js';

export type CoordinatorChannel = LocalChannel<LocalCompute, LocalResult>;

/** Carries a session's steps over the channel of its worker process. */
class LocalTransport implements WorkerTransport {
  #listener: TransportListener | undefined;
  /** Set by the session's first Compute message; earlier results are an earlier session's. */
  #isUsed = false;

  constructor(
    private readonly channel: CoordinatorChannel,
    private readonly workerId: string,
  ) {}

  listen(listener: TransportListener): void {
    this.#listener = listener;
    this.channel.listen(
      (result) => this.#received(result),
      () => listener.onLost(new ClusterError('LOST', 'its connection ended')),
    );
  }

  compute(message: Compute, parameters: OutgoingVector | undefined): void {
    this.#isUsed = true;
    const shared = parameters && this.channel.file.put(parameters.values);
    if (shared || !parameters) return this.channel.send({ compute: message, parameters: shared });
    const found = 'got parameters of two steps unread';
    const error = new ClusterError('LOST', `step: expected ${this.workerId} to read its messages, ${found}`);
    // Deferred until the caller's dispatch has ended.
    setImmediate(() => this.#listener?.onLost(error));
  }

  /** A result that isn't used is released too: a worker that returns must find room for the next one. */
  #received({ gradient, ...result }: LocalResult): void {
    const { file } = this.channel;
    if (!this.#isUsed) return file.skip(gradient);
    try {
      for (const chunk of file.chunks(gradient, `partial from ${this.workerId}`)) {
        this.#listener?.onPartial({ ...result, ...chunk });
      }
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#listener?.onLost(error);
    }
  }
}

/** Arguments of `spawn` for a worker process with a local transport, and a function to call with the process. */
export interface LocalStart {
  readonly args: readonly string[];
  /** Entries of `stdio` from descriptor 4 on; see `localFds`. */
  readonly stdio: readonly (number | 'pipe')[];
  readonly started: (child: ChildProcess) => void;
}

const withoutTransport: LocalStart = { args: [], stdio: [], started: () => undefined };

/** Local transports of the worker processes that this process starts, by worker id. */
export class LocalTransports {
  readonly #channels = new Map<string, CoordinatorChannel>();

  /** @param isEnabled - false: all workers use gRPC. */
  constructor(private readonly isEnabled = true) {}

  /** Prepares a channel for a process to be started; without shared memory the worker uses gRPC. */
  prepare(workerId: string): LocalStart {
    const file = this.isEnabled ? SharedFile.create() : undefined;
    if (!file) return withoutTransport;
    const started = ({ stdio }: ChildProcess) => this.add(workerId, new LocalChannel(file, stdio.at(-1) as Duplex));
    return { args: ['--local-transport'], stdio: [file.fd, 'pipe'], started };
  }

  add(workerId: string, channel: CoordinatorChannel): void {
    this.#channels.set(workerId, channel);
  }

  /** A session's transport; undefined if the worker has no channel, or vectors of `parameterCount` values are too long. */
  open(workerId: string, parameterCount: number): WorkerTransport | undefined {
    const channel = this.#channels.get(workerId);
    if (!channel?.isOpen || !channel.file.open(parameterCount)) return undefined;
    return new LocalTransport(channel, workerId);
  }

  /** Closes the channel of a process that has ended. */
  close(workerId: string): void {
    this.#channels.get(workerId)?.close();
    this.#channels.delete(workerId);
  }
}

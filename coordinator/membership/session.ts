import { type ClusterError, toStatus } from '../../proto/errors.js';
import type { Assignment, Compute, Evaluate, Heartbeat, Hello, Ready, ToWorker } from '../../proto/messages.js';
import { type JoinStream, writeVector } from '../../transport/grpc-transport.js';
import type { OutgoingVector } from '../../transport/outgoing-vector.js';
import type { WorkerTransport } from '../../transport/worker-transport.js';
import { ClockOffset } from './clock-offset.js';
import { Traffic } from './traffic.js';

export interface WorkerSessionOptions {
  readonly hello: Hello;
  readonly stream: JoinStream;
  /** Carries the session's steps; everything else uses `stream`. */
  readonly transport: WorkerTransport;
  readonly nowMs: number;
  /** Counts the bytes of all sessions. */
  readonly traffic?: Traffic | undefined;
}

/** Coordinator's end of one worker's session, from its Hello to the end of its Join stream, and the worker's state. */
export class WorkerSession {
  readonly hello: Hello;
  readonly stream: JoinStream;
  readonly transport: WorkerTransport;
  /** Set once the worker is admitted. */
  ready: Ready | undefined;
  heartbeat: Heartbeat | undefined;
  /** Shards whose data the worker has. */
  holding = new Set<number>();
  lastHeardMs: number;
  /** Time of the last bytes received on the Join stream's connection. */
  lastBytesMs = -Infinity;
  /** Offset of the worker's monotonic clock from this process's. */
  readonly clock = new ClockOffset();
  /** Vectors sent to and received from the worker. */
  readonly traffic: Traffic;
  /** Time from the last step's first Compute message to its last result, in ms; 0 before the first step. */
  stepMs = 0;
  #bytesReceived: () => number = () => 0;
  #countedBytes = 0;
  /** Key of the vector sent last, which isn't sent twice. */
  #sentVector: string | undefined;
  /** The assignment sent last, as text. */
  #assigned: string | undefined;
  #ended = false;

  constructor({ hello, stream, transport, nowMs, traffic }: WorkerSessionOptions) {
    this.hello = hello;
    this.stream = stream;
    this.transport = transport;
    this.traffic = new Traffic(traffic);
    this.lastHeardMs = nowMs;
  }

  /** @param bytes - returns the bytes received on the worker's connection so far. */
  countBytes(bytes: () => number): void {
    this.#bytesReceived = bytes;
    this.#countedBytes = bytes();
  }

  /** Counts any bytes from the worker's connection as a sign of life, even the first ones of a long message. */
  noteBytes(nowMs: number): void {
    const bytes = this.#bytesReceived();
    if (bytes === this.#countedBytes) return;
    this.#countedBytes = bytes;
    this.lastHeardMs = this.lastBytesMs = nowMs;
  }

  /** Excludes time in which this process was blocked from the worker's silence. */
  excuse(blockedMs: number, nowMs: number): void {
    this.lastHeardMs = Math.min(nowMs, this.lastHeardMs + blockedMs);
  }

  get workerId(): string {
    return this.hello.workerId;
  }

  /** See `Ready.cores`. */
  get sharedCores(): number {
    return this.ready?.cores ?? 1;
  }

  send(message: ToWorker): void {
    if (!this.#ended) this.stream.write(message);
  }

  /** Sends the dataset chunks that the worker must hold, unless they are those sent last. */
  assign(data: Omit<Assignment, 'generation'>, generation: number): void {
    const key = JSON.stringify(data);
    if (key === this.#assigned) return;
    this.#assigned = key;
    this.send({ assignment: { generation, ...data } });
  }

  /** Dispatches nodes of a step, with the parameters if the worker doesn't have them. */
  compute(message: Compute, parameters: OutgoingVector): void {
    if (!this.#ended) this.transport.compute(message, this.#isNew(parameters) ? parameters : undefined);
  }

  /** Dispatches batches of an evaluation, with parameters and running statistics if the worker doesn't have them. */
  evaluate(message: Evaluate, vector: OutgoingVector): void {
    if (this.#ended) return;
    this.send({ evaluate: message });
    if (this.#isNew(vector)) writeVector(this.stream, vector);
  }

  /** Ends the session because the job is over. */
  finish(reason: string): void {
    this.send({ finish: { reason } });
    this.#close(() => this.stream.end());
  }

  /** Ends the session with an error that the worker receives. */
  reject(error: ClusterError): void {
    this.#close(() => rejectStream(this.stream, error));
  }

  /** Records a vector to be sent. @returns false if it is the one sent last. */
  #isNew({ key, kind, byteLength }: OutgoingVector): boolean {
    if (this.#sentVector === key) return false;
    this.#sentVector = key;
    this.traffic.addSent(kind.evaluation ? 'evaluation' : 'parameters', byteLength);
    return true;
  }

  #close(close: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    close();
  }
}

/** Ends a Join stream with an error that the worker receives. */
export function rejectStream(stream: JoinStream, error: ClusterError): void {
  stream.emit('error', toStatus(error));
}

import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ClusterError, toStatus } from '../../proto/errors.js';
import type {
  Assignment,
  Compute,
  Heartbeat,
  Hello,
  Ready,
  ReceivedFromWorker,
  ToWorker,
} from '../../proto/messages.js';
import type { Encoded } from '../../transport/services.js';
import type { LinkOrder, LinkResult, LocalLink } from '../../transport/local/channel.js';
import { ClockOffset } from './clock-offset.js';
import type { OutgoingVector } from '../../transport/outgoing-vector.js';
import { Traffic } from './traffic.js';

/** The coordinator's end of the way past gRPC. */
export type WorkerLink = LocalLink<LinkOrder, LinkResult>;

export type JoinStream = ServerDuplexStream<ReceivedFromWorker, ToWorker | Encoded>;

/** The coordinator's end of one worker's Join stream, and what it knows of that worker. */
export class WorkerSession {
  ready: Ready | undefined;
  heartbeat: Heartbeat | undefined;
  holding = new Set<number>();
  lastHeardMs: number;
  /** Time of the last bytes received on the connection of its vectors. */
  lastBytesMs = -Infinity;
  /** How far the worker's monotonic clock is ahead of this process's. */
  readonly clock = new ClockOffset();
  /** Vectors sent to it and received from it. */
  readonly traffic: Traffic;
  /** From its orders for a step to the last of its results, in ms; 0 before the first. */
  stepMs = 0;
  #bytesReceived: () => number = () => 0;
  #countedBytes = 0;
  /** Key of the vector that the worker was sent last, so that it is not sent twice for one step. */
  #sentVector: string | undefined;
  /** The assignment sent last, as text. */
  #assigned: string | undefined;
  #ended = false;

  constructor(
    readonly hello: Hello,
    readonly stream: JoinStream,
    nowMs: number,
    total?: Traffic,
    /** By which steps go to a worker that this process started. */
    readonly link?: WorkerLink,
  ) {
    this.traffic = new Traffic(total);
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
  excuse(heldUpMs: number, nowMs: number): void {
    this.lastHeardMs = Math.min(nowMs, this.lastHeardMs + heldUpMs);
  }

  get workerId(): string {
    return this.hello.workerId;
  }

  /** Cores that the workers of its host share, once it is known to compute wide to the same bits; else 0. */
  get wideCores(): number {
    return Math.max(this.ready?.wideCores ?? 0, this.heartbeat?.wideCores ?? 0);
  }

  send(message: ToWorker): void {
    if (!this.#ended) this.stream.write(message);
  }

  /** Sends the parts of the dataset that the worker must hold, unless they are those sent last. */
  assign(parts: Omit<Assignment, 'generation'>, generation: number): void {
    const key = JSON.stringify(parts);
    if (key === this.#assigned) return;
    this.#assigned = key;
    this.send({ assignment: { generation, ...parts } });
  }

  /** Orders nodes of a step, and sends the parameters, unless this worker was sent them last. */
  order(compute: Compute, vector: OutgoingVector): void {
    if (this.link) return this.#orderByLink(this.link, compute, vector);
    this.send({ compute });
    this.sendVector(vector);
  }

  /** Sends a vector in chunks, unless it is the one that this worker was sent last. */
  sendVector(vector: OutgoingVector): void {
    if (!this.#isNew(vector)) return;
    for (let index = 0; index < vector.chunks && !this.#ended; index++) this.stream.write(vector.message(index));
  }

  #orderByLink(link: WorkerLink, compute: Compute, vector: OutgoingVector): void {
    if (this.#ended) return;
    const isNew = this.#isNew(vector);
    const parameters = isNew ? link.file.put(vector.values) : undefined;
    if (!isNew || parameters) return link.send({ compute, parameters });
    const found = 'got parameters of two steps unread; its shards go to others';
    const error = new ClusterError('LOST', `step: expected ${this.workerId} to read what it is sent, ${found}`);
    // Not while orders are given out.
    setImmediate(() => this.refuse(error));
  }

  /** Takes note of a vector that is about to be sent; false when this worker was sent it last. */
  #isNew(vector: OutgoingVector): boolean {
    if (this.#ended || this.#sentVector === vector.key) return false;
    this.#sentVector = vector.key;
    this.traffic.addSent(vector.kind.evaluation ? 'evaluation' : 'parameters', vector.byteLength);
    return true;
  }

  /** Tells the worker that the job is over and closes the stream. */
  finish(reason: string): void {
    this.send({ finish: { reason } });
    this.#close(() => this.stream.end());
  }

  /** Closes the stream with an error that the worker will see. */
  refuse(error: ClusterError): void {
    this.#close(() => this.stream.emit('error', toStatus(error)));
  }

  #close(close: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    close();
  }
}

import { hostname } from 'node:os';
import { crc32 } from '@node-rs/crc32';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { type JobManifest, parseManifest } from '../job/manifest.js';
import { callMetadata } from '../transport/auth.js';
import { bytesOf } from '../proto/chunks.js';
import { ClusterError, fromServiceError } from '../proto/errors.js';
import { limitConnecting } from '../transport/liveness.js';
import type {
  Assignment,
  Evaluate,
  FromWorker,
  Heartbeat,
  Ready,
  ReceivedToWorker,
  WorkerPhase,
} from '../proto/messages.js';
import { type ClusterClient, PROTOCOL_VERSION } from '../transport/services.js';
import { Beats } from './beats.js';
import { checkEvaluate } from './check-compute.js';
import { clusterClient, type CoordinatorAddress } from './cluster-client.js';
import type { EngineEvent, EngineThread } from './engine-thread.js';
import { FetchPriority } from './fetch-priority.js';
import { GrpcSteps } from './grpc-steps.js';
import { ChunkStore, type WantedChunk } from './chunk-store.js';

export interface SessionOptions extends CoordinatorAddress {
  readonly workerId: string;
  /** See `Hello.beat_key`. The same in every session of a process. */
  readonly beatKey: Uint8Array;
  /** Longest wait for Welcome, before which the coordinator may have to read its dataset. */
  readonly welcomeLimitMs: number;
  /** Cores shared by the workers of this host; see `WorkerOptions`. */
  readonly cores: number;
  readonly log: (message: string) => void;
  /** Engine thread of a job, and its dataset chunks by digest. The caller keeps them, because they outlive a session. */
  readonly engineFor: (manifest: JobManifest) => EngineThread;
  readonly chunksFor: (manifest: JobManifest) => Map<string, SharedArrayBuffer>;
}

/** Normal end of a session. */
export interface SessionEnd {
  readonly reason: string;
}

/** Interval of heartbeats on the Join stream, which show that its connection works; `Beats` sends the others. */
const joinBeatMs = 5_000;
/** Longest time for the last message to reach the coordinator. */
const farewellMs = 1_000;
/** Longest time that a worker computes after it was asked to leave. */
const drainMs = 1_500;

/** One Join stream from Hello to its end: fetches data, and passes work to the engine thread and results back. */
export class WorkerSession {
  readonly #client: ClusterClient;
  readonly #stream: ClientDuplexStream<FromWorker, ReceivedToWorker>;
  readonly #ended: Promise<SessionEnd>;
  #resolve!: (end: SessionEnd) => void;
  #reject!: (error: ClusterError) => void;
  #manifest: JobManifest | undefined;
  #term = 0;
  #store: ChunkStore | undefined;
  #fetchPriority: FetchPriority | undefined;
  #shards = new Set<number>();
  #steps: GrpcSteps | undefined;
  /** Set once the engine can compute. */
  #isReady = false;
  readonly #beats: Beats;
  #joinBeats: NodeJS.Timeout | undefined;
  #welcomeTimer: NodeJS.Timeout;
  readonly #connecting: NodeJS.Timeout;
  /** Settles the session once its last message has been sent; undefined before that. */
  #farewell: (() => void) | undefined;
  #farewellTimer: NodeJS.Timeout | undefined;
  /** Reason to leave once the current results are sent. */
  #leaving: string | undefined;
  #drainTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SessionOptions) {
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#client = clusterClient(options);
    this.#stream = this.#client.Join(callMetadata(options.token));
    this.#connecting = limitConnecting(this.#client, `join ${options.coordinator}`, (error) => this.#closed(error));
    this.#beats = this.#beginBeats();
    this.#stream.on('data', (message: ReceivedToWorker) => this.#guard(() => this.#received(message)));
    this.#stream.on('error', (error: ServiceError) =>
      this.#closed(fromServiceError(error, `join ${options.coordinator}`)),
    );
    this.#stream.on('end', () => {
      this.#closed(new ClusterError('UNREACHABLE', `join ${options.coordinator}: the coordinator closed the session`));
    });
    this.#welcomeTimer = setTimeout(() => {
      const limit = options.welcomeLimitMs / 1000;
      this.#reject(
        new ClusterError('UNREACHABLE', `join ${options.coordinator}: expected Welcome within ${limit} s, got nothing`),
      );
    }, options.welcomeLimitMs);
    const runtime = `${process.version} ${process.platform} ${process.arch}`;
    const hello = { protocolVersion: PROTOCOL_VERSION, host: hostname(), pid: process.pid, runtime };
    this.#send({ hello: { ...hello, workerId: options.workerId, beatKey: options.beatKey } });
  }

  /** True once the coordinator has answered with Welcome. */
  get welcomed(): boolean {
    return this.#manifest !== undefined;
  }

  /** Settles when the job is over. @throws ClusterError if the session was rejected or broke. */
  async run(): Promise<SessionEnd> {
    try {
      return await this.#ended;
    } finally {
      this.#beats.close();
      clearInterval(this.#joinBeats);
      clearTimeout(this.#connecting);
      clearTimeout(this.#welcomeTimer);
      clearTimeout(this.#farewellTimer);
      clearTimeout(this.#drainTimer);
      this.#store?.close();
      this.#stream.cancel();
      this.#client.close();
    }
  }

  /** Ends the session and notifies the coordinator, once the work in progress is delivered or `drainMs` have passed. */
  leave(reason: string): void {
    if (this.#leaving !== undefined) return;
    this.#leaving = reason;
    if (!this.#isReady) return this.#leaveNow(reason);
    this.#drainTimer = setTimeout(() => this.#leaveNow(reason), drainMs);
    this.#engine().post({ kind: 'drain' });
  }

  #leaveNow(reason: string): void {
    this.#endWith({ leaving: { reason } }, () => this.#resolve({ reason }));
  }

  #send(message: FromWorker): void {
    if (this.#farewell === undefined) this.#stream.write(message);
  }

  /** Sends a last message. The session ends when the coordinator closes the stream, or after `farewellMs`. */
  #endWith(message: FromWorker, settle: () => void): void {
    if (this.#farewell !== undefined) return;
    this.#send(message);
    this.#farewell = settle;
    this.#stream.end();
    if (this.welcomed) this.#farewellTimer = setTimeout(settle, farewellMs);
    else settle();
  }

  /** Ends the session because the stream or the connection ended. */
  #closed(error: ClusterError): void {
    if (this.#farewell !== undefined) this.#farewell();
    else if (this.#leaving !== undefined) this.#resolve({ reason: this.#leaving });
    else this.#reject(error);
  }

  #guard(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      const known = error instanceof ClusterError;
      this.#reject(known ? error : new ClusterError('BAD_MESSAGE', (error as Error).message, { cause: error }));
    }
  }

  #received(message: ReceivedToWorker): void {
    this.#beats.heard();
    switch (message.message) {
      case 'welcome':
        return this.#welcome(message.welcome);
      case 'assignment':
        return this.#assigned(message.assignment);
      case 'compute':
      case 'parameters':
        return this.#joined(this.#steps).received(message);
      case 'evaluate':
        return this.#evaluate(message.evaluate);
      case 'finish':
        return this.#resolve({ reason: message.finish.reason });
      default:
        message satisfies never;
    }
  }

  #welcome({ jobJson, term, heartbeatMs }: { jobJson: string; term: number; heartbeatMs: number }): void {
    clearTimeout(this.#welcomeTimer);
    const manifest = (this.#manifest = parseManifest(jobJson));
    this.#term = term;
    this.#beats.welcomed(heartbeatMs);
    this.#joinBeats = setInterval(() => this.#send({ heartbeat: this.#report() }), joinBeatMs);
    const { spec, dataset } = manifest;
    this.options.log(`joined ${this.options.coordinator} for job ${spec.name} (${spec.model}, ${spec.shards} shards)`);
    const engine = this.options.engineFor(manifest);
    engine.post({ kind: 'forget' });
    engine.listen((message) => this.#fromEngine(message));
    this.#steps = new GrpcSteps(this.#stream, engine, manifest);
    this.#fetchPriority = new FetchPriority(manifest);
    this.#store = new ChunkStore({
      address: this.options.coordinator,
      token: this.options.token,
      tls: this.options.tls,
      sampleBytes: 1 + dataset.imageShape.reduce((a, b) => a * b),
      held: this.options.chunksFor(manifest),
      onChunk: (wanted, bytes) => this.#chunkArrived(engine, wanted, bytes),
      onError: (error) => this.#reject(error),
    });
  }

  #beginBeats(): Beats {
    const report = () => {
      if (this.#manifest && this.#engine().progress.hasStepped) this.#fetchEvaluation();
      return this.#report();
    };
    return new Beats({ ...this.options, report, onDead: (error) => this.#closed(error) });
  }

  #report(): Heartbeat {
    const phase: WorkerPhase = this.#manifest ? this.#engine().progress.phase : 'idle';
    const isReceiving = this.#steps?.isReceiving === true || (phase === 'idle' && this.#store?.isFetching === true);
    const residentBytes = process.memoryUsage.rss();
    return { phase: isReceiving ? 'receiving' : phase, residentBytes };
  }

  #chunkArrived(engine: EngineThread, { set, index }: WantedChunk, bytes: SharedArrayBuffer): void {
    engine.post({ kind: 'chunk', set, index, bytes });
    if (set === 'evaluation' || this.#shards.has(index)) return;
    this.#shards.add(index);
    this.#send({ holding: { shards: [...this.#shards] } });
  }

  #engine(): EngineThread {
    return this.options.engineFor(this.#joined(this.#manifest));
  }

  /** @throws ClusterError BAD_MESSAGE if the coordinator hasn't sent Welcome. */
  #joined<Value>(value: Value | undefined): Value {
    if (value === undefined)
      throw new ClusterError('BAD_MESSAGE', 'session: expected Welcome before any other message');
    return value;
  }

  #assigned(assignment: Assignment): void {
    const [priority, store] = [this.#joined(this.#fetchPriority), this.#joined(this.#store)];
    priority.assign(assignment);
    store.want(priority.chunks);
  }

  #fetchEvaluation(): void {
    if (this.#fetchPriority?.includeEvaluation()) this.#store?.want(this.#fetchPriority.chunks);
  }

  #evaluate({ step, batches }: Evaluate): void {
    checkEvaluate({ step, batches }, this.#joined(this.#manifest));
    this.#fetchEvaluation();
    this.#engine().post({ kind: 'evaluate', step, batches });
  }

  #fromEngine(message: EngineEvent): void {
    switch (message.kind) {
      case 'ready':
        this.#isReady = true;
        return this.#send({ ready: readyMessage(message, this.options.cores) });
      case 'drained':
        return this.#leaving === undefined ? undefined : this.#leaveNow(this.#leaving);
      case 'rows': {
        const { step, batch, rows } = message;
        const data = bytesOf(rows);
        return this.#send({ rows: { term: this.#term, step, batch, data, crc: crc32(data) } });
      }
      case 'log':
        return this.options.log(message.message);
      case 'failed': {
        const code = message.isFinal ? 'BAD_ENGINE' : 'ENGINE_FAILED';
        return this.#endWith({ failure: { code, message: message.message } }, () =>
          this.#reject(new ClusterError(code, `engine: ${message.message}`)),
        );
      }
      default:
        message satisfies never;
    }
  }
}

/** Maximum length of a text that a coordinator accepts, in characters. */
const textLimit = 200;

function readyMessage(ready: EngineEvent & { kind: 'ready' }, cores: number): Ready {
  const { info, placement = '', fingerprint, compileMs, hasThreads } = ready;
  const { name: engine, version: engineVersion, device, lowering, threads } = info;
  const { arithmetic = 0, target = '', reason = '' } = info;
  return {
    ...{ engine, engineVersion, device, lowering, threads },
    ...{ fingerprint, compileMs, arithmetic, target },
    cores: hasThreads ? cores : 1,
    targetReason: reason.slice(0, textLimit),
    placement: placement.slice(0, textLimit),
  };
}

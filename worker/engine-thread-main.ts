import { parentPort, workerData } from 'node:worker_threads';
import { createEngine, loadEngine } from '../engine/create.js';
import type { EngineInfo } from '../engine/engine.js';
import { EngineError } from '../engine/errors.js';
import { nativeVectors } from '../engine/native/vectors.js';
import { decodeChunk } from '../data/chunks.js';
import { InvariantError } from '../util/errors.js';
import type { JobManifest } from '../job/manifest.js';
import { sumNode } from '../job/node-sum.js';
import { plainVectors } from '../job/vectors.js';
import type { ShardReport, ShardSpan } from '../proto/messages.js';
import type { LocalFds } from '../transport/local/channel.js';
import { inheritedChannel, LocalWorkerEnd } from '../transport/local/worker-end.js';
import type { CoordinatorTransport, NodeResult, ReceivedVector } from '../transport/worker-transport.js';
import { BufferPool } from './buffer-pool.js';
import { checkCompute } from './check-compute.js';
import { EngineProgress } from './engine-progress.js';
import { ComputeQueue, type Work } from './compute-queue.js';
import { type EngineThreadSettings, type FromEngine, type ToEngine, transferred } from './engine-thread.js';
import { decideProof, fingerprintElsewhere } from './second-process.js';
import { ShardComputer } from './shard-computer.js';

/** Entry of the engine thread. An engine blocks its caller, so it has a thread of its own. */

/** Messages after the job. */
type Message = Exclude<ToEngine, { kind: 'job' | 'end' }>;

/** A transport, and the work received over it. */
interface Source {
  readonly queue: ComputeQueue;
  readonly transport: CoordinatorTransport;
}

const port = parentPort;
if (!port) throw new InvariantError('the engine thread was started outside a thread');

const { cacheDirectory, isa, progressMemory } = workerData as EngineThreadSettings & {
  progressMemory: SharedArrayBuffer;
};
const progress = new EngineProgress(progressMemory);
const vectors = nativeVectors(isa) ?? plainVectors;

function post(message: FromEngine): void {
  port!.postMessage(message, transferred(message));
}

async function begin({ manifest, localFds }: ToEngine & { kind: 'job' }): Promise<WorkLoop> {
  const begun = performance.now();
  const log = (message: string) => post({ kind: 'log', message });
  const engine = await createEngine({ ...manifest.spec.engine, isa, log, cacheDirectory }).catch(unavailable);
  checkArithmetic(manifest, engine.info);
  const { name } = engine.info;
  if (isa !== undefined && name !== 'native') log(`--isa ${isa} has no effect with engine.name: ${name}`);
  const elsewhere = engine.info.device === 'cpu' ? undefined : fingerprintElsewhere({ manifest, cacheDirectory });
  const computer = await ShardComputer.compile(engine, manifest);
  const fingerprint = await computer.fingerprint();
  if (elsewhere) checkProof(manifest, decideProof(engine.info, fingerprint, await elsewhere), log);
  const compileMs = performance.now() - begun;
  const { placement } = computer;
  const hasThreads = engine.setThreads !== undefined;
  post({ kind: 'ready', info: engine.info, placement, fingerprint, hasThreads, compileMs });
  return new WorkLoop(computer, localFds);
}

/** Error of an engine that can't be created because this machine lacks its device or library. */
class UnavailableEngine extends Error {}

function unavailable(cause: Error): never {
  throw cause instanceof EngineError ? new UnavailableEngine(cause.message, { cause }) : cause;
}

/** @throws UnavailableEngine if the job needs another version of the arithmetic than this worker's. */
function checkArithmetic({ arithmetic: expected }: JobManifest, { arithmetic }: EngineInfo): void {
  if ((arithmetic ?? null) === expected) return;
  const problem = `expected arithmetic ${expected}, which the job is bound to, got ${arithmetic ?? 'none'} in this worker`;
  throw new UnavailableEngine(`create engine: ${problem}; install the same Lockstep version on both sides`);
}

/** Reports that the thread can't compute. Errors of the machine or the model are final; others may be transient. */
function fail(error: unknown): void {
  const isOfModel = error instanceof EngineError && error.code.startsWith('UNSUPPORTED');
  const isFinal = error instanceof UnavailableEngine || isOfModel;
  post({ kind: 'failed', message: (error as Error).message, isFinal });
}

/** @throws EngineError RUNTIME if the job requires equal bits and `problem` is set. */
function checkProof({ spec }: JobManifest, problem: string | undefined, log: (message: string) => void): void {
  if (problem !== undefined && spec.numerics === 'strict') throw new EngineError('RUNTIME', problem);
  log(problem ?? 'two processes computed the same bits');
}

/**
 * Engine thread's side of the gRPC transport; the network thread's is `GrpcSteps`. The two transfer parameters and
 * gradients in buffers that they reuse.
 */
class GrpcEnd implements CoordinatorTransport {
  readonly queue = new ComputeQueue();
  readonly #gradients: BufferPool;
  /** The parameters before the current ones, to be returned with the next gradient: no computation reads them then. */
  #used: Float32Array[] = [];

  constructor(parameterCount: number) {
    this.#gradients = new BufferPool(parameterCount);
  }

  keep(vector: ReceivedVector, used: readonly Float32Array[]): void {
    this.#gradients.put(used);
    if (this.queue.vector?.evaluation === false) this.#used = [this.queue.vector.values];
    this.queue.keep(vector);
  }

  deliver(result: NodeResult): void {
    const gradient = this.#gradients.take();
    gradient.set(result.gradient);
    post({ kind: 'result', result: { ...result, gradient }, used: this.#used.splice(0) });
  }
}

type NodeWork = Work & { kind: 'node' };

/** Work whose vector and data have arrived. */
interface Taken {
  readonly source: Source;
  readonly work: Work;
  readonly vector: ReceivedVector;
}

/** Computes the work of all sources. */
class WorkLoop {
  readonly #grpc: GrpcEnd;
  readonly #sources: readonly Source[];
  #running = false;
  #draining = false;

  constructor(
    private readonly computer: ShardComputer,
    localFds: LocalFds | undefined,
  ) {
    this.#grpc = new GrpcEnd(computer.manifest.parameterCount);
    const grpc = { queue: this.#grpc.queue, transport: this.#grpc };
    this.#sources = localFds ? [grpc, this.#localSource(localFds)] : [grpc];
  }

  receive(message: Message): void {
    const { queue } = this.#grpc;
    switch (message.kind) {
      case 'chunk':
        this.#store(message);
        break;
      case 'vector':
        this.#grpc.keep(message.vector, message.used);
        break;
      case 'forget':
        return queue.clear();
      case 'compute':
        queue.addNodes(message.message, message.receivedMs);
        break;
      case 'evaluate':
        queue.addBatches(message.step, message.batches);
        break;
      case 'drain':
        this.#draining = true;
        break;
      default:
        message satisfies never;
    }
    void this.#pump();
  }

  #localSource(fds: LocalFds): Source {
    const { manifest } = this.computer;
    const queue = new ComputeQueue();
    const transport = new LocalWorkerEnd(inheritedChannel(fds), manifest.parameterCount, {
      keep: (vector) => queue.keep(vector),
      compute: (message, receivedMs) => {
        checkCompute(message, manifest);
        queue.addNodes(message, receivedMs);
        void this.#pump();
      },
    });
    return { queue, transport };
  }

  #store({ set, index, bytes }: Message & { kind: 'chunk' }): void {
    const { imageShape, classes } = this.computer.manifest.dataset;
    const data = decodeChunk(new Uint8Array(bytes), imageShape, classes.length);
    (set === 'shard' ? this.computer.shards : this.computer.batches).set(index, data);
  }

  async #pump(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        progress.phase = 'computing';
        await this.#perform(next);
        await new Promise(setImmediate);
      }
      if (this.#draining && this.#sources.every(({ queue }) => queue.isEmpty)) post({ kind: 'drained' });
    } catch (error) {
      fail(error);
    } finally {
      progress.phase = 'idle';
      this.#running = false;
    }
  }

  #next(): Taken | undefined {
    for (const source of this.#sources) {
      const taken = source.queue.take((work) => this.#hasData(work));
      if (taken) return { source, ...taken };
    }
    return undefined;
  }

  #hasData(work: Work): boolean {
    if (work.kind === 'batch') return this.computer.batches.has(work.batch);
    const { first, count } = work.node;
    return Array.from({ length: count }, (_, i) => first + i).every((shard) => this.computer.shards.has(shard));
  }

  async #perform({ source, work, vector }: Taken): Promise<void> {
    const { step } = work;
    if (work.kind === 'batch') {
      const rows = await this.computer.rows(work.batch, vector.values);
      return post({ kind: 'rows', step, batch: work.batch, rows });
    }
    const result = await this.#compute(work, vector);
    // If a newer vector arrived meanwhile, the step is over, and its result isn't needed.
    if (source.queue.vector === vector) {
      progress.phase = 'sending';
      await source.transport.deliver(result);
      progress.noteStep();
    }
    // While it waits for parameters, it gathers the next images: most likely it will compute the same shards again.
    if (source.queue.isEmpty) this.computer.prepare(work.node.first, step + 1);
  }

  async #compute({ step, node, dispatch }: NodeWork, vector: ReceivedVector): Promise<NodeResult> {
    const reports: ShardReport[] = [];
    const spans: ShardSpan[] = [];
    const gradientOf = async (shard: number) => {
      const threads = dispatch.threads[dispatch.begun++];
      const { gradient, report, span } = await this.computer.shard(shard, step, vector.values, threads);
      reports.push(report);
      spans.push(span);
      return gradient;
    };
    const gradient = await sumNode(node, gradientOf, vectors);
    const { term, sentMs, receivedMs } = dispatch;
    const { beginMs, endMs } = vector;
    const received = { orderSentMs: sentMs, orderReceivedMs: receivedMs };
    const stamps = { ...received, parametersBeginMs: beginMs, parametersEndMs: endMs, shards: spans };
    return { term, step, node, gradient, reports, stamps: sentMs > 0 ? stamps : undefined };
  }
}

let loop: Promise<WorkLoop> | undefined;
port.on('message', (message: ToEngine) => {
  // In a thread this ends the thread, not the process.
  // eslint-disable-next-line no-restricted-properties
  if (message.kind === 'end') process.exit();
  if (message.kind !== 'job') {
    // Its failure is reported once, below.
    void loop?.then(
      (ready) => ready.receive(message),
      () => undefined,
    );
    return;
  }
  loop = begin(message);
  loop.catch(fail);
});
// The default engine's modules take time to load, so they are loaded while the worker joins.
loadEngine().catch(fail);

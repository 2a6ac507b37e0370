import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { createEngine, loadEngine } from '../engine/create.js';
import { EngineError } from '../engine/errors.js';
import { decodePart } from '../data/chunks.js';
import { InvariantError } from '../job/errors.js';
import type { JobManifest } from '../job/manifest.js';
import type { TreeNode } from '../job/tree.js';
import { type LinkFds, type LinkOrder, type LinkResult, LocalLink } from '../transport/local/channel.js';
import { SharedFile } from '../transport/local/shared-file.js';
import { BufferPool } from './buffer-pool.js';
import { CoordinatorLink } from '../transport/local/worker-end.js';
import { EngineProgress } from './engine-progress.js';
import { type EngineThreadSettings, type FromEngine, handedOver, type ToEngine } from './engine-thread.js';
import { OrderQueue, type Vector, type Work } from './compute-queue.js';
import { decideProof, fingerprintElsewhere } from './second-process.js';
import { ShardComputer, type ShardResult } from './shard-computer.js';

/** Entry of the engine thread: ONNX Runtime blocks the thread that calls it, so it has this one to itself. */

/** Everything that comes after the job. */
type Message = Exclude<ToEngine, { kind: 'job' | 'end' }>;

/** Where orders come from, and where their results go. */
interface Source {
  readonly queue: OrderQueue;
  deliver(step: number, node: TreeNode, gradient: Float32Array, reports: ShardResult[]): void | Promise<void>;
}

const port = parentPort;
if (!port) throw new InvariantError('the engine thread was started outside a thread');

const { cacheDirectory, progressMemory } = workerData as EngineThreadSettings & { progressMemory: SharedArrayBuffer };
const progress = new EngineProgress(progressMemory);

function post(message: FromEngine): void {
  port!.postMessage(message, handedOver(message));
}

async function begin({ manifest, wide, link }: ToEngine & { kind: 'job' }): Promise<WorkLoop> {
  const begun = performance.now();
  const log = (message: string) => post({ kind: 'log', message });
  const engine = await createEngine({ ...manifest.spec.engine, log, cacheDirectory }).catch(unavailable);
  const elsewhere = engine.info.device === 'cpu' ? undefined : fingerprintElsewhere({ manifest, cacheDirectory });
  const computer = await ShardComputer.compile(engine, manifest);
  const fingerprint = await computer.fingerprint();
  if (elsewhere) checkProof(manifest, decideProof(engine.info, fingerprint, await elsewhere), log);
  const compileMs = performance.now() - begun;
  post({ kind: 'ready', info: engine.info, placement: computer.placement, fingerprint, canWiden: false, compileMs });
  return new WorkLoop(computer, { wide: wide && engine.info.threads === 1, link });
}

/** Error for an engine that cannot be created because its device or library is missing on this machine. */
class UnavailableEngine extends Error {}

function unavailable(cause: Error): never {
  throw cause instanceof EngineError ? new UnavailableEngine(cause.message, { cause }) : cause;
}

/** Reports that the thread cannot compute. Errors of the machine or the model are final; others may be transient. */
function fail(error: unknown): void {
  const isOfModel = error instanceof EngineError && error.code.startsWith('UNSUPPORTED');
  const isFinal = error instanceof UnavailableEngine || isOfModel;
  post({ kind: 'failed', message: (error as Error).message, isFinal });
}

/** @throws EngineError RUNTIME where equal bits are wanted and could not be shown. */
function checkProof({ spec }: JobManifest, problem: string | undefined, log: (message: string) => void): void {
  if (problem !== undefined && spec.numerics === 'strict') throw new EngineError('RUNTIME', problem);
  log(problem ?? 'two processes gave the same bits');
}

/** What comes by the Join stream. Parameters and gradients are handed over between the threads in buffers that go round. */
class SessionSource implements Source {
  readonly queue = new OrderQueue();
  /** Parameters before these, to go back with the next gradient: by then no computation reads them. */
  #used: Float32Array[] = [];
  readonly #gradients: BufferPool;

  constructor(parameterCount: number) {
    this.#gradients = new BufferPool(parameterCount);
  }

  keep(vector: Vector, used: readonly Float32Array[]): void {
    this.#gradients.put(used);
    if (this.queue.vector?.evaluation === false) this.#used = [this.queue.vector.values];
    this.queue.keep(vector);
  }

  deliver(step: number, node: TreeNode, sum: Float32Array, reports: ShardResult[]): void {
    const gradient = this.#gradients.take();
    gradient.set(sum);
    post({ kind: 'partial', step, node, gradient, reports, used: this.#used.splice(0) });
  }
}

/** Works through the orders of all sources. */
class WorkLoop {
  readonly #session: SessionSource;
  readonly #sources: readonly Source[];
  #running = false;
  /** To be tried when the first step is computed and nothing is ordered; nobody waits for it then. */
  #widening: 'not yet' | 'due' | 'done';
  #draining = false;

  constructor(
    private readonly computer: ShardComputer,
    { wide, link }: { readonly wide: boolean; readonly link: LinkFds | undefined },
  ) {
    this.#widening = wide ? 'not yet' : 'done';
    this.#session = new SessionSource(computer.manifest.parameterCount);
    this.#sources = link ? [this.#session, this.#linked(link)] : [this.#session];
  }

  receive(message: Message): void {
    const { queue } = this.#session;
    switch (message.kind) {
      case 'part':
        this.#store(message);
        break;
      case 'vector':
        this.#session.keep(message, message.used);
        break;
      case 'forget':
        return queue.clear();
      case 'compute':
        queue.addNodes(message.step, message.nodes, message.wide);
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

  #linked({ file, socket }: LinkFds): Source {
    const shared = new SharedFile(file, 'worker');
    const link = new LocalLink<LinkResult, LinkOrder>(shared, new Socket({ fd: socket }));
    return new CoordinatorLink(link, this.computer.manifest, () => void this.#pump());
  }

  #store({ set, index, bytes }: Message & { kind: 'part' }): void {
    const { imageShape, classes } = this.computer.manifest.dataset;
    const data = decodePart(new Uint8Array(bytes), imageShape, classes.length);
    (set === 'shard' ? this.computer.shards : this.computer.batches).set(index, data);
  }

  async #pump(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#next(); next !== undefined || this.#widening === 'due'; next = this.#next()) {
        progress.phase = 'computing';
        if (next) await this.#perform(next);
        else await this.#widen();
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

  #next(): { source: Source; work: Work; vector: Vector } | undefined {
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

  async #perform({ source, work, vector }: { source: Source; work: Work; vector: Vector }): Promise<void> {
    const { values } = vector;
    const { step } = work;
    if (work.kind === 'batch') {
      const rows = await this.computer.rows(work.batch, values);
      return post({ kind: 'rows', step, batch: work.batch, rows });
    }
    const { node, order } = work;
    const isWide = () => order.left-- <= order.wide;
    const { gradient, reports } = await this.computer.node(node, step, values, isWide);
    // If a newer vector came meanwhile, the step is over, and this sum is worth nothing.
    if (source.queue.vector === vector) {
      progress.phase = 'sending';
      await source.deliver(step, node, gradient, reports);
      progress.noteStep();
      if (this.#widening === 'not yet') this.#widening = 'due';
    }
    // While it waits for parameters, there is time to put images together: most likely it will have the same shards next.
    if (source.queue.isEmpty) this.computer.prepare(node.first, step + 1);
  }

  async #widen(): Promise<void> {
    this.#widening = 'done';
    if (await this.computer.widen()) post({ kind: 'widened' });
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
// The default engine's modules take time to load, which a worker has while it joins.
loadEngine('onnx', cacheDirectory).catch(fail);

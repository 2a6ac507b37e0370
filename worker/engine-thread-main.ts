import { parentPort, workerData } from 'node:worker_threads';
import { createEngine, loadEngine } from '../engine/create.js';
import { EngineError } from '../engine/errors.js';
import { decodePart } from '../job/data/parts.js';
import { InvariantError } from '../job/errors.js';
import type { JobManifest } from '../job/manifest.js';
import type { TreeNode } from '../job/tree.js';
import { BufferPool } from './buffer-pool.js';
import { type EngineThreadSettings, type FromEngine, handedOver, type ToEngine } from './engine-thread.js';
import { decideProof, fingerprintElsewhere } from './second-process.js';
import { ShardComputer } from './shard-computer.js';

/** Entry of the engine thread: ONNX Runtime blocks the thread that calls it, so it has this one to itself. */

/** Everything that comes after the job. */
type Message = Exclude<ToEngine, { kind: 'job' | 'end' }>;

/** Shards that are ordered together: `left` are to be computed yet, the last `wide` of them with two threads. */
interface Order {
  left: number;
  readonly wide: number;
}

type Work =
  { kind: 'node'; step: number; node: TreeNode; order: Order } | { kind: 'batch'; step: number; batch: number };

interface Vector {
  readonly step: number;
  readonly evaluation: boolean;
  readonly values: Float32Array;
}

const port = parentPort;
if (!port) throw new InvariantError('the engine thread was started outside a thread');

const { cacheDirectory } = workerData as EngineThreadSettings;

function post(message: FromEngine): void {
  port!.postMessage(message, handedOver(message));
}

async function begin(manifest: JobManifest, wide: boolean): Promise<WorkLoop> {
  const begun = performance.now();
  const log = (message: string) => post({ kind: 'log', message });
  const engine = await createEngine({ ...manifest.spec.engine, log, cacheDirectory });
  const elsewhere = engine.info.device === 'cpu' ? undefined : fingerprintElsewhere({ manifest, cacheDirectory });
  const computer = await ShardComputer.compile(engine, manifest);
  const fingerprint = await computer.fingerprint();
  if (elsewhere) checkProof(manifest, decideProof(engine.info, fingerprint, await elsewhere), log);
  const compileMs = performance.now() - begun;
  post({ kind: 'ready', info: engine.info, placement: computer.placement, fingerprint, canWiden: false, compileMs });
  return new WorkLoop(computer, wide && engine.info.threads === 1);
}

/** @throws EngineError RUNTIME where equal bits are wanted and could not be shown. */
function checkProof({ spec }: JobManifest, problem: string | undefined, log: (message: string) => void): void {
  if (problem !== undefined && spec.numerics === 'strict') throw new EngineError('RUNTIME', problem);
  log(problem ?? 'two processes gave the same bits');
}

/** Works through the orders of the newest step; what belongs to an older one is dropped. */
class WorkLoop {
  #queue: Work[] = [];
  /** The newest vector. */
  #vector: Vector | undefined;
  /** Parameters before these, to go back with the next gradient: by then no computation reads them. */
  #used: Float32Array[] = [];
  readonly #gradients: BufferPool;
  #running = false;
  /** To be tried when the first step is computed and nothing is ordered; nobody waits for it then. */
  #widening: 'not yet' | 'due' | 'done';

  constructor(
    private readonly computer: ShardComputer,
    wide: boolean,
  ) {
    this.#widening = wide ? 'not yet' : 'done';
    this.#gradients = new BufferPool(computer.manifest.parameterCount);
  }

  receive(message: Message): void {
    switch (message.kind) {
      case 'part':
        this.#store(message);
        break;
      case 'vector':
        this.#keep(message);
        break;
      case 'forget':
        this.#vector = undefined;
        this.#queue = [];
        return;
      case 'compute':
        this.#compute(message);
        break;
      case 'evaluate':
        this.#enqueue(message.batches.map((batch) => ({ kind: 'batch', step: message.step, batch })));
        break;
      default:
        message satisfies never;
    }
    void this.#pump();
  }

  #compute({ step, nodes, wide }: Message & { kind: 'compute' }): void {
    const order = { left: nodes.reduce((sum, { count }) => sum + count, 0), wide };
    this.#enqueue(nodes.map((node) => ({ kind: 'node', step, node, order })));
  }

  #store({ set, index, bytes }: Message & { kind: 'part' }): void {
    const { imageShape, classes } = this.computer.manifest.dataset;
    const data = decodePart(new Uint8Array(bytes), imageShape, classes.length);
    (set === 'shard' ? this.computer.shards : this.computer.batches).set(index, data);
  }

  #keep({ step, evaluation, values, used }: Message & { kind: 'vector' }): void {
    this.#gradients.put(used);
    if (this.#vector?.evaluation === false) this.#used = [this.#vector.values];
    this.#vector = { step, evaluation, values };
  }

  #enqueue(work: Work[]): void {
    this.#queue = [...this.#queue.filter(({ step, kind }) => step === work[0]?.step && kind === work[0].kind), ...work];
  }

  async #pump(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let work = this.#next(); work !== undefined || this.#widening === 'due'; work = this.#next()) {
        if (work) await this.#perform(work.work, work.vector);
        else await this.#widen();
        if (work?.work.kind === 'node') this.#prepareNext(work.work);
        await new Promise(setImmediate);
      }
    } catch (error) {
      post({ kind: 'failed', message: (error as Error).message });
    } finally {
      this.#running = false;
    }
  }

  /** While it waits for parameters, there is time to put images together: most likely it will have the same shards next. */
  #prepareNext({ node, step }: Work & { kind: 'node' }): void {
    if (this.#queue.length === 0) this.computer.prepare(node.first, step + 1);
  }

  /** The first order whose vector and data are there. */
  #next(): { work: Work; vector: Vector } | undefined {
    const vector = this.#vector;
    const index = this.#queue.findIndex((work) => {
      if (!vector || vector.step !== work.step || vector.evaluation !== (work.kind === 'batch')) return false;
      if (work.kind === 'batch') return this.computer.batches.has(work.batch);
      const { first, count } = work.node;
      return Array.from({ length: count }, (_, i) => first + i).every((shard) => this.computer.shards.has(shard));
    });
    if (index < 0 || !vector) return undefined;
    return { work: this.#queue.splice(index, 1)[0]!, vector };
  }

  async #perform(work: Work, vector: Vector): Promise<void> {
    const { values } = vector;
    if (work.kind === 'batch') {
      const rows = await this.computer.rows(work.batch, values);
      return post({ kind: 'rows', step: work.step, batch: work.batch, rows });
    }
    const { order } = work;
    const isWide = () => order.left-- <= order.wide;
    const { gradient: sum, reports } = await this.computer.node(work.node, work.step, values, isWide);
    // A newer vector came meanwhile: the step is over, and this sum is worth nothing.
    if (this.#vector !== vector) return;
    const gradient = this.#gradients.take();
    gradient.set(sum);
    post({ kind: 'partial', step: work.step, node: work.node, gradient, reports, used: this.#used.splice(0) });
    if (this.#widening === 'not yet') this.#widening = 'due';
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
    void loop?.then((ready) => ready.receive(message));
    return;
  }
  loop = begin(message.manifest, message.wide);
  loop.catch((error: unknown) => post({ kind: 'failed', message: (error as Error).message }));
});
// The default engine's modules take time to load, which a worker has while it joins.
loadEngine('onnx', cacheDirectory).catch((error: unknown) =>
  post({ kind: 'failed', message: (error as Error).message }),
);

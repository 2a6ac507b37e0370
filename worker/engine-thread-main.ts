import { parentPort, workerData } from 'node:worker_threads';
import { createEngine } from '../engine/create.js';
import { decodePart } from '../job/data/parts.js';
import { InvariantError } from '../job/errors.js';
import type { JobManifest } from '../job/manifest.js';
import type { FromEngine, ToEngine } from './engine-thread.js';
import { ShardComputer } from './shard-computer.js';

/** Entry of the engine thread: ONNX Runtime blocks the thread that calls it, so it has this one to itself. */

type Work =
  | { kind: 'node'; step: number; node: { first: number; count: number } }
  | { kind: 'batch'; step: number; batch: number };

const port = parentPort;
if (!port) throw new InvariantError('the engine thread was started outside a thread');
const manifest = workerData as JobManifest;

function post(message: FromEngine, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(message, transfer);
}

async function main(): Promise<void> {
  const begin = performance.now();
  const engine = await createEngine(manifest.spec.engine);
  const computer = await ShardComputer.compile(engine, manifest);
  post({ kind: 'ready', info: engine.info, compileMs: performance.now() - begin });
  const loop = new WorkLoop(computer);
  port!.on('message', (message: ToEngine) => loop.receive(message));
}

/** Works through the orders of the newest step; what belongs to an older one is dropped. */
class WorkLoop {
  #queue: Work[] = [];
  #vector: { step: number; evaluation: boolean; values: Float32Array } | undefined;
  #running = false;

  constructor(private readonly computer: ShardComputer) {}

  receive(message: ToEngine): void {
    switch (message.kind) {
      case 'part':
        this.#store(message);
        break;
      case 'vector':
        this.#vector = message;
        break;
      case 'compute':
        this.#enqueue(message.nodes.map((node) => ({ kind: 'node', step: message.step, node })));
        break;
      case 'evaluate':
        this.#enqueue(message.batches.map((batch) => ({ kind: 'batch', step: message.step, batch })));
        break;
      default:
        message satisfies never;
    }
    void this.#pump();
  }

  #store({ set, index, bytes }: ToEngine & { kind: 'part' }): void {
    const { imageShape, classes } = manifest.dataset;
    const data = decodePart(new Uint8Array(bytes), imageShape, classes.length);
    (set === 'shard' ? this.computer.shards : this.computer.batches).set(index, data);
  }

  #enqueue(work: Work[]): void {
    this.#queue = [...this.#queue.filter(({ step, kind }) => step === work[0]?.step && kind === work[0].kind), ...work];
  }

  async #pump(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let work = this.#next(); work; work = this.#next()) {
        await this.#perform(work.work, work.values);
        await new Promise(setImmediate);
      }
    } catch (error) {
      post({ kind: 'failed', message: (error as Error).message });
    } finally {
      this.#running = false;
    }
  }

  /** The first order whose vector and data are there. */
  #next(): { work: Work; values: Float32Array } | undefined {
    const vector = this.#vector;
    const index = this.#queue.findIndex((work) => {
      if (!vector || vector.step !== work.step || vector.evaluation !== (work.kind === 'batch')) return false;
      if (work.kind === 'batch') return this.computer.batches.has(work.batch);
      const { first, count } = work.node;
      return Array.from({ length: count }, (_, i) => first + i).every((shard) => this.computer.shards.has(shard));
    });
    if (index < 0 || !vector) return undefined;
    return { work: this.#queue.splice(index, 1)[0]!, values: vector.values };
  }

  async #perform(work: Work, values: Float32Array): Promise<void> {
    if (work.kind === 'batch') {
      const rows = await this.computer.rows(work.batch, values);
      return post({ kind: 'rows', step: work.step, batch: work.batch, rows });
    }
    post({ kind: 'computing', step: work.step });
    const { gradient, reports } = await this.computer.node(work.node, work.step, values);
    post({ kind: 'partial', step: work.step, node: work.node, gradient, reports }, [gradient.buffer as ArrayBuffer]);
  }
}

main().catch((error: unknown) => post({ kind: 'failed', message: (error as Error).message }));

import { Dispatcher } from '../../coordinator/stepping/dispatcher.js';
import { EvaluationTask } from '../../coordinator/stepping/evaluation-task.js';
import { RunEvents } from '../../coordinator/state/events.js';
import { NumericsCheck } from '../../coordinator/stepping/numerics-check.js';
import { Roster } from '../../coordinator/membership/roster.js';
import { WorkerSession } from '../../coordinator/membership/session.js';
import { StepTask } from '../../coordinator/stepping/step-task.js';
import type { Arithmetic } from '../../coordinator/stepping/reduction/arithmetic.js';
import type { JobManifest } from '../../job/manifest.js';
import { manifestPlan } from '../../job/plan.js';
import type { TreeNode } from '../../job/tree.js';
import { chunkFields } from '../../proto/chunks.js';
import type { Ready, ToWorker } from '../../proto/messages.js';
import { GrpcTransport, type JoinStream } from '../../transport/grpc-transport.js';
import { PROTOCOL_VERSION } from '../../transport/services.js';
import { withCrc } from './raw-worker.js';

const term = 1;
const ready = { fingerprint: 'ab'.repeat(32), cores: 1 } as Ready;

type Item = { readonly step: number } & ({ readonly node: TreeNode } | { readonly batch: number });

/** A worker without a connection, which queues its Compute messages until `fetch` and `deliver` are called. */
export class SimulatedWorker {
  readonly session: WorkerSession;
  /** Its last assignment. */
  #assigned = { shards: [] as readonly number[], batches: [] as readonly number[] };
  readonly #batches = new Set<number>();
  #queue: Item[] = [];

  constructor(readonly workerId: string) {
    const hello = {
      protocolVersion: PROTOCOL_VERSION,
      workerId,
      host: 'test',
      pid: 1,
      runtime: 'test',
      beatKey: new Uint8Array(16),
    };
    const ends = { write: (message: ToWorker) => this.#received(message), end: () => undefined };
    const stream = ends as unknown as JoinStream;
    const transport = new GrpcTransport(stream, { workerId, parameterCount: 1 });
    this.session = new WorkerSession({ hello, stream, transport, nowMs: performance.now() });
  }

  /** @returns true if it got more shards. */
  fetch(): boolean {
    for (const batch of this.#assigned.batches) this.#batches.add(batch);
    const before = this.session.holding.size;
    this.session.holding = new Set([...this.session.holding, ...this.#assigned.shards]);
    return this.session.holding.size > before;
  }

  /** Takes the first Compute message whose data it has. */
  take(): Item | undefined {
    const index = this.#queue.findIndex((item) => this.#has(item));
    return index < 0 ? undefined : this.#queue.splice(index, 1)[0];
  }

  #has(item: Item): boolean {
    if ('batch' in item) return this.#batches.has(item.batch);
    return shardsOf(item.node).every((shard) => this.session.holding.has(shard));
  }

  #received(message: ToWorker): void {
    if ('assignment' in message) {
      const { shards, evaluationBatches } = message.assignment;
      this.#assigned = { shards, batches: evaluationBatches };
    }
    if ('compute' in message) this.#add(message.compute.nodes.map((node) => ({ step: message.compute.step, node })));
    if ('evaluate' in message) {
      this.#add(message.evaluate.batches.map((batch) => ({ step: message.evaluate.step, batch })));
    }
  }

  /** Drops Compute messages of another step or evaluation, as the engine's queue does. */
  #add(items: readonly Item[]): void {
    const [first] = items;
    const isSame = (item: Item) => item.step === first!.step && 'batch' in item === 'batch' in first!;
    this.#queue = [...this.#queue.filter(isSame), ...items];
  }
}

const shardsOf = ({ first, count }: TreeNode) => Array.from({ length: count }, (_, i) => first + i);

/** Real dispatcher, tasks and sessions with simulated workers. */
export class SimulatedCluster {
  readonly workers: SimulatedWorker[] = [];
  /** Reason why the current task waits for workers; undefined if it doesn't. */
  stuck: string | undefined;
  /** Items counted so far, as `step 0: shard 1`. */
  readonly counted: string[] = [];
  readonly #roster = new Roster(Infinity, () => undefined);
  readonly #dispatcher: Dispatcher;
  readonly #arithmetic = new CountingArithmetic((step, shard) => this.counted.push(`step ${step}: shard ${shard}`));
  #joined = 0;

  constructor(private readonly manifest: JobManifest) {
    this.#dispatcher = new Dispatcher({
      manifest,
      term,
      arithmetic: this.#arithmetic as unknown as Arithmetic,
      numerics: new NumericsCheck(({ node }) => this.counted.push(`a fault at ${node.first}`)),
      wantedWorkers: 2,
      roster: this.#roster,
      events: new RunEvents(),
      onStuck: (reason) => (this.stuck = reason),
    });
  }

  close(): void {
    this.#dispatcher.close();
    this.#roster.close();
  }

  async step(step: number, audited: readonly number[]): Promise<void> {
    const { manifest } = this;
    const update = { step, samples: 4, learningRate: 1 };
    const task = new StepTask({ manifest, plan: manifestPlan(manifest), update, audited });
    this.#arithmetic.begin(step, manifest.shards.length, task);
    await this.#dispatcher.perform(task, new Float32Array(1));
  }

  async evaluate(step: number): Promise<void> {
    const task = new EvaluationTask(this.manifest, step);
    const finish = task.board.finish.bind(task.board);
    task.board.finish = (batch) => {
      const isFirst = finish(batch);
      if (isFirst) this.counted.push(`evaluation ${step}: batch ${batch}`);
      return isFirst;
    };
    await this.#dispatcher.perform(task, new Float32Array(2));
  }

  join(): SimulatedWorker {
    const worker = new SimulatedWorker(`w${this.#joined++}`);
    this.workers.push(worker);
    this.#roster.add(worker.session);
    this.#dispatcher.workerChanged('joined');
    return worker;
  }

  becomeReady({ session }: SimulatedWorker): void {
    if (session.ready) return;
    session.ready = ready;
    this.#dispatcher.workerChanged('ready');
  }

  lose(worker: SimulatedWorker): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
    this.#roster.remove(worker.session);
    this.#dispatcher.workerGone(worker.session);
  }

  fetch(worker: SimulatedWorker): void {
    if (worker.fetch()) this.#dispatcher.workerChanged('holding');
  }

  /** @returns false when the worker has nothing to deliver. */
  deliver(worker: SimulatedWorker): boolean {
    const item = worker.take();
    if (!item) return false;
    if ('batch' in item) this.#deliverRows(worker, item.step, item.batch);
    else this.#deliverNode(worker, item.step, item.node);
    return true;
  }

  #deliverNode({ session }: SimulatedWorker, step: number, node: TreeNode): void {
    const report = { samples: 2, lossSum: 1, correct: 0, statistics: new Uint8Array(4), computeMs: 1 };
    const reports = shardsOf(node).map((shard) => ({ shard, ...report }));
    const partial = { term, step, node, ...chunkFields(new Float32Array(1), 0), reports };
    this.#dispatcher.receivePartial(session, partial);
  }

  #deliverRows({ session }: SimulatedWorker, step: number, batch: number): void {
    const { count } = this.manifest.evaluation[batch]!;
    const data = new Uint8Array(count * this.manifest.dataset.classes.length * 4);
    this.#dispatcher.receiveRows(session, { term, step, batch, ...withCrc(data) });
  }
}

/** Counts shards instead of summing them: a step ends when each has arrived. */
class CountingArithmetic {
  #step = { step: -1, shards: 0, task: undefined as StepTask | undefined };
  #seen = new Set<number>();

  constructor(private readonly onShard: (step: number, shard: number) => void) {}

  begin(step: number | object, shards = 0, task?: StepTask): void {
    if (typeof step !== 'number') return;
    this.#step = { step, shards, task };
    this.#seen = new Set();
  }

  addChunk(): void {}

  addReport(step: number, { shard }: { readonly shard: number }): void {
    if (step !== this.#step.step || this.#seen.has(shard)) return;
    this.#seen.add(shard);
    this.onShard(step, shard);
    if (this.#seen.size < this.#step.shards) return;
    const times = { reducedMs: 0, updatedMs: 0, reduceBusyMs: 0 };
    this.#step.task!.settle({ kind: 'committed', step, times, lossSum: 0, correct: 0 });
  }
}

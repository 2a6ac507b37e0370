import type { TreeNode } from '../job/tree.js';
import type { Compute } from '../proto/messages.js';
import type { ReceivedVector } from '../transport/worker-transport.js';

/** Nodes of one Compute message. */
interface Dispatch {
  readonly term: number;
  /** The coordinator's stamp; 0 without one. */
  readonly sentMs: number;
  readonly receivedMs: number;
  /** Threads for each of its shards, in order; empty: the job's number. */
  readonly threads: readonly number[];
  /** Shards that have begun. */
  begun: number;
}

export type Work =
  | { readonly kind: 'node'; readonly step: number; readonly node: TreeNode; readonly dispatch: Dispatch }
  | { readonly kind: 'batch'; readonly step: number; readonly batch: number };

/** Work of the newest step or evaluation that hasn't begun. Work of an older one is dropped. */
export class ComputeQueue {
  #work: readonly Work[] = [];
  #vector: ReceivedVector | undefined;

  /** The newest vector. */
  get vector(): ReceivedVector | undefined {
    return this.#vector;
  }

  get isEmpty(): boolean {
    return this.#work.length === 0;
  }

  keep(vector: ReceivedVector): void {
    this.#vector = vector;
  }

  addNodes({ term, step, nodes, threads, sentMs = 0 }: Compute, receivedMs: number): void {
    const dispatch = { term, sentMs, receivedMs, threads, begun: 0 };
    this.#add(nodes.map((node) => ({ kind: 'node', step, node, dispatch })));
  }

  addBatches(step: number, batches: readonly number[]): void {
    this.#add(batches.map((batch) => ({ kind: 'batch', step, batch })));
  }

  clear(): void {
    this.#vector = undefined;
    this.#work = [];
  }

  /** Takes the first work whose vector and data have arrived. */
  take(hasData: (work: Work) => boolean): { readonly work: Work; readonly vector: ReceivedVector } | undefined {
    const vector = this.#vector;
    if (!vector) return undefined;
    const isOf = ({ step, kind }: Work) => step === vector.step && (kind === 'batch') === vector.evaluation;
    const work = this.#work.find((each) => isOf(each) && hasData(each));
    if (!work) return undefined;
    this.#work = this.#work.filter((each) => each !== work);
    return { work, vector };
  }

  /** Adds work, and drops work of other steps or kinds. An empty list changes nothing. */
  #add(work: readonly Work[]): void {
    if (work.length === 0) return;
    const kept = this.#work.filter(({ step, kind }) => step === work[0]?.step && kind === work[0].kind);
    this.#work = [...kept, ...work];
  }
}

import type { TreeNode } from '../job/tree.js';

/** Shards that are ordered together: `left` are to be computed yet, the last `wide` of them with two threads. */
export interface Order {
  left: number;
  readonly wide: number;
}

export type Work =
  | { readonly kind: 'node'; readonly step: number; readonly node: TreeNode; readonly order: Order }
  | { readonly kind: 'batch'; readonly step: number; readonly batch: number };

export interface Vector {
  readonly step: number;
  readonly evaluation: boolean;
  readonly values: Float32Array;
}

/** What was ordered and is not begun, of the newest step or evaluation; what belongs to an older one is dropped. */
export class OrderQueue {
  #work: readonly Work[] = [];
  #vector: Vector | undefined;

  /** The newest vector. */
  get vector(): Vector | undefined {
    return this.#vector;
  }

  get isEmpty(): boolean {
    return this.#work.length === 0;
  }

  keep(vector: Vector): void {
    this.#vector = vector;
  }

  addNodes(step: number, nodes: readonly TreeNode[], wide: number): void {
    const order = { left: nodes.reduce((sum, { count }) => sum + count, 0), wide };
    this.#add(nodes.map((node) => ({ kind: 'node', step, node, order })));
  }

  addBatches(step: number, batches: readonly number[]): void {
    this.#add(batches.map((batch) => ({ kind: 'batch', step, batch })));
  }

  clear(): void {
    this.#vector = undefined;
    this.#work = [];
  }

  /** Takes the first work whose vector is there, and its data. */
  take(hasData: (work: Work) => boolean): { readonly work: Work; readonly vector: Vector } | undefined {
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

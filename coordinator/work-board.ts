/** An item that is not done, and the workers present that it was dispatched to, the first one first. */
export interface MissingItem {
  readonly item: number;
  readonly workerIds: readonly string[];
}

/**
 * Which worker computes which item of one task (the shards of a step, the batches of an evaluation), and what is still
 * missing. Every item counts exactly once, whoever delivers it and however many compute it.
 */
export class WorkBoard {
  readonly #done: boolean[];
  readonly #orderedFrom: string[][];
  #left: number;

  constructor(readonly items: number) {
    this.#done = new Array<boolean>(items).fill(false);
    this.#orderedFrom = Array.from({ length: items }, () => []);
    this.#left = items;
  }

  get complete(): boolean {
    return this.#left === 0;
  }

  /** Items that are neither done nor dispatched to a worker that is present. */
  open(): number[] {
    return this.#orderedFrom.flatMap((workerIds, item) => (workerIds.length > 0 || this.#done[item] ? [] : [item]));
  }

  /** Notes that items are dispatched to a worker, which may be one more than those that they were dispatched to before. */
  order(items: readonly number[], workerId: string): void {
    for (const item of items) this.#orderedFrom[item]!.push(workerId);
  }

  /** @returns false when the item was done already. */
  finish(item: number): boolean {
    if (this.#done[item] !== false) return false;
    this.#done[item] = true;
    this.#left--;
    return true;
  }

  /** Drops what was dispatched to a worker that is gone: what no other computes is open again. */
  forget(workerId: string): void {
    this.#orderedFrom.forEach((workerIds, item) => {
      if (workerIds.includes(workerId)) this.#orderedFrom[item] = workerIds.filter((id) => id !== workerId);
    });
  }

  isDone(item: number): boolean {
    return this.#done[item] === true;
  }

  /** Workers present that an item was dispatched to, the first one first. */
  workersOf(item: number): readonly string[] {
    return this.#orderedFrom[item] ?? [];
  }

  /** Items that are not done. */
  missing(): MissingItem[] {
    return this.#done.flatMap((done, item) => (done ? [] : [{ item, workerIds: this.#orderedFrom[item]! }]));
  }
}

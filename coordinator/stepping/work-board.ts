/** An item that is not done, and the workers present that it was dispatched to, in order of dispatch. */
export interface MissingItem {
  readonly item: number;
  readonly workerIds: readonly string[];
}

/**
 * State of one task's items (the shards of a step, the batches of an evaluation): the workers that compute each, and
 * the items still missing. Every item counts exactly once, no matter how many workers compute it.
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

  /** Records that items are dispatched to a worker, possibly in addition to others. */
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

  /** Forgets a lost worker. Items that no other worker computes are open again. */
  forget(workerId: string): void {
    this.#orderedFrom.forEach((workerIds, item) => {
      if (workerIds.includes(workerId)) this.#orderedFrom[item] = workerIds.filter((id) => id !== workerId);
    });
  }

  isDone(item: number): boolean {
    return this.#done[item] === true;
  }

  /** Workers present that an item was dispatched to, in order of dispatch. */
  workersOf(item: number): readonly string[] {
    return this.#orderedFrom[item] ?? [];
  }

  /** Items that are not done. */
  missing(): MissingItem[] {
    return this.#done.flatMap((done, item) => (done ? [] : [{ item, workerIds: this.#orderedFrom[item]! }]));
  }
}

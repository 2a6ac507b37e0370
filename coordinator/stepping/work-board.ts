/** An item that isn't done, with the present workers that it was dispatched to, in order of dispatch. */
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
  readonly #dispatchedTo: string[][];
  #left: number;

  constructor(readonly items: number) {
    this.#done = new Array<boolean>(items).fill(false);
    this.#dispatchedTo = Array.from({ length: items }, () => []);
    this.#left = items;
  }

  get complete(): boolean {
    return this.#left === 0;
  }

  /** Items that are neither done nor dispatched to a present worker. */
  open(): number[] {
    return this.#dispatchedTo.flatMap((workerIds, item) => (workerIds.length > 0 || this.#done[item] ? [] : [item]));
  }

  /** Records that items are dispatched to a worker, possibly in addition to others. */
  dispatch(items: readonly number[], workerId: string): void {
    for (const item of items) this.#dispatchedTo[item]!.push(workerId);
  }

  /** @returns false if the item was done already. */
  finish(item: number): boolean {
    if (this.#done[item] !== false) return false;
    this.#done[item] = true;
    this.#left--;
    return true;
  }

  /** Forgets a worker that is gone. Items that no other worker computes are open again. */
  forget(workerId: string): void {
    this.#dispatchedTo.forEach((workerIds, item) => {
      if (workerIds.includes(workerId)) this.#dispatchedTo[item] = workerIds.filter((id) => id !== workerId);
    });
  }

  isDone(item: number): boolean {
    return this.#done[item] === true;
  }

  /** Present workers that an item was dispatched to, in order of dispatch. */
  workersOf(item: number): readonly string[] {
    return this.#dispatchedTo[item] ?? [];
  }

  /** Items that aren't done. */
  missing(): MissingItem[] {
    return this.#done.flatMap((done, item) => (done ? [] : [{ item, workerIds: this.#dispatchedTo[item]! }]));
  }
}

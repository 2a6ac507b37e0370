/** An item that is not done, and the workers that were told to do it, the first one first. */
export interface MissingItem {
  readonly item: number;
  readonly workerIds: readonly string[];
}

/**
 * Who computes which item of one task (the shards of a step, the batches of an evaluation), and what is still missing.
 * Every item counts exactly once, whoever delivers it and however many were told to.
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

  /** Notes orders for all items that are neither done nor ordered; an item without an owner stays open. */
  order(ownerOf: (item: number) => string | undefined): Map<string, number[]> {
    const orders = new Map<string, number[]>();
    for (let item = 0; item < this.items; item++) {
      if (this.#done[item] || this.#orderedFrom[item]!.length > 0) continue;
      const owner = ownerOf(item);
      if (owner === undefined) continue;
      this.#orderedFrom[item]!.push(owner);
      orders.set(owner, [...(orders.get(owner) ?? []), item]);
    }
    return orders;
  }

  /** Notes that a worker was told to do items that others were told to do before. */
  orderAlso(items: readonly number[], workerId: string): void {
    for (const item of items) this.#orderedFrom[item]!.push(workerId);
  }

  /** @returns false when the item was done already. */
  finish(item: number): boolean {
    if (this.#done[item] !== false) return false;
    this.#done[item] = true;
    this.#left--;
    return true;
  }

  /** Takes back the orders of a worker that is gone. @returns the unfinished items that nobody else is at. */
  forget(workerId: string): number[] {
    const open: number[] = [];
    this.#orderedFrom.forEach((workerIds, item) => {
      if (!workerIds.includes(workerId)) return;
      const others = (this.#orderedFrom[item] = workerIds.filter((id) => id !== workerId));
      if (others.length === 0 && !this.#done[item]) open.push(item);
    });
    return open;
  }

  isDone(item: number): boolean {
    return this.#done[item] === true;
  }

  /** Workers that were told to do an item and are not gone, the first one first. */
  workersOf(item: number): readonly string[] {
    return this.#orderedFrom[item] ?? [];
  }

  /** Items that are not done. */
  missing(): MissingItem[] {
    return this.#done.flatMap((done, item) => (done ? [] : [{ item, workerIds: this.#orderedFrom[item]! }]));
  }
}

/**
 * Who computes which item of one task (the shards of a step, the batches of an evaluation), and what is still missing.
 * Every item counts exactly once, whoever delivers it.
 */
export class WorkBoard {
  readonly #done: boolean[];
  readonly #orderedFrom: (string | undefined)[];
  #left: number;

  constructor(readonly items: number) {
    this.#done = new Array<boolean>(items).fill(false);
    this.#orderedFrom = new Array<string | undefined>(items).fill(undefined);
    this.#left = items;
  }

  get complete(): boolean {
    return this.#left === 0;
  }

  /** Notes orders for all items that are neither done nor ordered; an item without an owner stays open. */
  order(ownerOf: (item: number) => string | undefined): Map<string, number[]> {
    const orders = new Map<string, number[]>();
    for (let item = 0; item < this.items; item++) {
      if (this.#done[item] || this.#orderedFrom[item] !== undefined) continue;
      const owner = ownerOf(item);
      if (owner === undefined) continue;
      this.#orderedFrom[item] = owner;
      orders.set(owner, [...(orders.get(owner) ?? []), item]);
    }
    return orders;
  }

  /** @returns false when the item was done already. */
  finish(item: number): boolean {
    if (this.#done[item] !== false) return false;
    this.#done[item] = true;
    this.#left--;
    return true;
  }

  /** Opens the unfinished items of a worker that is gone. */
  forget(workerId: string): number[] {
    const open = [...this.#orderedFrom.keys()].filter((i) => this.#orderedFrom[i] === workerId && !this.#done[i]);
    for (const item of open) this.#orderedFrom[item] = undefined;
    return open;
  }

  isDone(item: number): boolean {
    return this.#done[item] === true;
  }

  /** Items that are not done, with the worker they were ordered from. */
  missing(): { readonly item: number; readonly workerId: string | undefined }[] {
    return this.#done.flatMap((done, item) => (done ? [] : [{ item, workerId: this.#orderedFrom[item] }]));
  }
}

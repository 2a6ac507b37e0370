/**
 * Set of waiting items, taken round-robin by group: a group with a thousand items delays another group's first item by at
 * most one.
 */
export class RoundRobin<Item> {
  /** Non-empty groups in the order of their turns. */
  readonly #groups = new Map<string, Set<Item>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(group: string, item: Item): boolean {
    return this.#groups.get(group)?.has(item) ?? false;
  }

  add(group: string, item: Item): void {
    const items = this.#groups.get(group) ?? new Set();
    if (items.has(item)) return;
    this.#groups.set(group, items.add(item));
    this.#size += 1;
  }

  delete(group: string, item: Item): void {
    const items = this.#groups.get(group);
    if (!items?.delete(item)) return;
    this.#size -= 1;
    if (items.size === 0) this.#groups.delete(group);
  }

  /**
   * Removes and returns the oldest eligible item of the next group that has one. That group moves to the end.
   */
  next(may: (item: Item, group: string) => boolean = () => true): Item | undefined {
    for (const [group, items] of this.#groups) {
      for (const item of items) {
        if (!may(item, group)) continue;
        this.#groups.delete(group);
        this.#groups.set(group, items);
        this.delete(group, item);
        return item;
      }
    }
    return undefined;
  }
}

export interface SlotSettings {
  readonly capacity: number;
  /** Maximum number of slots of one group. */
  readonly perGroup: number;
  /** Time after which a slot may be recalled for a waiting user; undefined: never. */
  readonly holdMs?: number;
}

export interface Slot {
  /** Aborted when the slot goes to another user; the slot is then free. */
  readonly recalled: AbortSignal;
  release(): void;
}

interface Waiter {
  readonly group: string;
  readonly grant: () => void;
}

interface Holder {
  readonly group: string;
  readonly sinceMs: number;
  readonly recall: AbortController;
}

const reviewMs = 500;
/** Maximum number of slots recalled at a time: reopening streams takes event loop time. */
const recallsAtOnce = 8;

/**
 * A limited number of slots, shared fairly between groups. A free slot goes to the waiting group with the fewest, in the
 * order of its requests. If none is free, slots held for `holdMs` rotate: from the group with the most to one with fewer,
 * and within a group.
 */
export class FairSlots {
  /** In the order of acquisition. */
  readonly #holders = new Set<Holder>();
  readonly #waiting = new Set<Waiter>();
  readonly #held = new Map<string, number>();
  #review: NodeJS.Timeout | undefined;

  constructor(private readonly settings: SlotSettings) {}

  get held(): number {
    return this.#holders.size;
  }

  /** Waits for a slot. @throws the signal's reason if it is aborted first. */
  async take(group: string, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const holder = await new Promise<Holder>((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason as Error);
      };
      const grant = () => {
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(waiter);
        resolve(this.#hold(group));
      };
      const waiter = { group, grant };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
      this.#grant();
    });
    return { recalled: holder.recall.signal, release: () => this.#release(holder) };
  }

  #hold(group: string): Holder {
    const holder = { group, sinceMs: performance.now(), recall: new AbortController() };
    this.#holders.add(holder);
    this.#held.set(group, this.#heldBy(group) + 1);
    return holder;
  }

  #release(holder: Holder): void {
    if (!this.#holders.delete(holder)) return;
    const left = this.#heldBy(holder.group) - 1;
    if (left === 0) this.#held.delete(holder.group);
    else this.#held.set(holder.group, left);
    this.#grant();
  }

  #grant(): void {
    while (this.#holders.size < this.settings.capacity) {
      const next = this.#next((group) => this.#heldBy(group) < this.settings.perGroup);
      if (!next) break;
      next.grant();
    }
    if (this.#waiting.size === 0 || this.settings.holdMs === undefined) return;
    this.#review ??= setTimeout(() => this.#recall(this.settings.holdMs!), reviewMs).unref();
  }

  /** Recalls slots held for `holdMs`, at most one per waiting user. */
  #recall(holdMs: number): void {
    this.#review = undefined;
    const untilMs = performance.now() - holdMs;
    for (let left = Math.min(recallsAtOnce, this.#waiting.size); left > 0; left -= 1) {
      const next = this.#next(() => true);
      const victim = next && this.#victim(next.group, untilMs);
      if (!victim) break;
      this.#release(victim);
      victim.recall.abort();
    }
    this.#grant();
  }

  /** Slot to recall: of the group with the most, or of the waiting group if that is at its limit. */
  #victim(waiting: string, untilMs: number): Holder | undefined {
    const own = this.#heldBy(waiting);
    const most = [...this.#held].reduce((best, one) => (one[1] > best[1] ? one : best), [waiting, own] as const);
    const rotates = own >= this.settings.perGroup || (own > 0 && own + 1 >= most[1]);
    const group = rotates ? waiting : most[0];
    for (const holder of this.#holders) if (holder.group === group && holder.sinceMs <= untilMs) return holder;
    return undefined;
  }

  /** First waiter of the eligible group with the fewest slots. */
  #next(may: (group: string) => boolean): Waiter | undefined {
    let best: Waiter | undefined;
    for (const waiter of this.#waiting) {
      const isBetter = best === undefined || this.#heldBy(waiter.group) < this.#heldBy(best.group);
      if (isBetter && may(waiter.group)) best = waiter;
      if (best && this.#heldBy(best.group) === 0) break;
    }
    return best;
  }

  #heldBy(group: string): number {
    return this.#held.get(group) ?? 0;
  }
}

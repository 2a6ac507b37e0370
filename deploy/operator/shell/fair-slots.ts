/** Something of which there is a limited number, and which is shared fairly between groups. */

export interface SlotSettings {
  readonly capacity: number;
  /** Slots that one group may have. */
  readonly perGroup: number;
  /** After so long a slot may be recalled for somebody who waits; undefined: never. */
  readonly holdMs?: number;
}

export interface Slot {
  /** Aborted when somebody else is to have the slot; it is free then. */
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
/** Slots recalled at a time: closing what they are for, and opening it again, takes the event loop's time. */
const recallsAtOnce = 8;

/**
 * Slots for groups of users. A free slot goes to the waiting group that has the fewest, in the order of its requests.
 * Where none is free, those that were held for `holdMs` go round: from the group that has most to one that has fewer,
 * and within a group.
 */
export class FairSlots {
  /** In the order in which they were taken. */
  readonly #holders = new Set<Holder>();
  readonly #waiting = new Set<Waiter>();
  readonly #held = new Map<string, number>();
  #review: NodeJS.Timeout | undefined;

  constructor(private readonly settings: SlotSettings) {}

  get held(): number {
    return this.#holders.size;
  }

  /** @throws the signal's reason when it is aborted before a slot is free. */
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

  /** Recalls some slots that were held long enough, as many as somebody waits for at most. */
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

  /** Of the group that has most, or of the waiting group where that has as many as it may. */
  #victim(waiting: string, untilMs: number): Holder | undefined {
    const own = this.#heldBy(waiting);
    const most = [...this.#held].reduce((best, one) => (one[1] > best[1] ? one : best), [waiting, own] as const);
    const goesRound = own >= this.settings.perGroup || (own > 0 && own + 1 >= most[1]);
    const group = goesRound ? waiting : most[0];
    for (const holder of this.#holders) if (holder.group === group && holder.sinceMs <= untilMs) return holder;
    return undefined;
  }

  /** The first waiter of the group that has the fewest slots. */
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

import { timerMs } from '../../util/clock.js';
import { type Backoff, backoffMs } from '../../util/backoff.js';
import { RoundRobin } from './round-robin.js';

export interface QueueSettings {
  /** Processes a key. @returns time until it is due again; undefined: only when it is added again. */
  readonly work: (key: string) => Promise<number | undefined>;
  /** Keys processed concurrently; see `mayBegin` for the share of a namespace. */
  readonly concurrency: number;
  readonly backoff: Backoff;
  /** @param failures - consecutive failures. */
  readonly onFailure?: (key: string, error: unknown, failures: number) => void;
}

/**
 * Queue of jobs to reconcile, by key `namespace/name`. A key is queued once, however often it is added, and never
 * processed twice at the same time. Failed keys are retried with exponential backoff. Namespaces take turns, and none may
 * use the whole concurrency.
 */
export class WorkQueue {
  readonly #ready = new RoundRobin<string>();
  readonly #working = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, { readonly atMs: number; readonly timer: NodeJS.Timeout }>();
  readonly #failures = new Map<string, number>();
  #running = false;

  constructor(private readonly settings: QueueSettings) {}

  /** Number of keys ready to be processed. */
  get depth(): number {
    return this.#ready.size;
  }

  get working(): number {
    return this.#working.size;
  }

  start(): void {
    this.#running = true;
    this.#next();
  }

  /** Stops starting work. @returns once running work is done. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#working.values());
  }

  /** Adds a key. @param delayMs - from now; the shortest of several applies. 0: ready immediately. */
  add(key: string, delayMs = 0): void {
    if (delayMs <= 0) {
      this.#cancel(key);
      this.#ready.add(namespaceOf(key), key);
      this.#next();
    } else if (!this.#ready.has(namespaceOf(key), key)) this.#addLater(key, delayMs);
  }

  /** Removes a key and its timer and failures. */
  forget(key: string): void {
    this.#cancel(key);
    this.#ready.delete(namespaceOf(key), key);
    this.#failures.delete(key);
  }

  /** Adds the key after `wantedMs`, or earlier if that exceeds a timer's range; the next plan then delays it again. */
  #addLater(key: string, wantedMs: number): void {
    const delayMs = timerMs(wantedMs);
    const atMs = performance.now() + delayMs;
    const planned = this.#timers.get(key);
    if (planned && planned.atMs <= atMs) return;
    this.#cancel(key);
    this.#timers.set(key, { atMs, timer: setTimeout(() => this.add(key), delayMs) });
  }

  #cancel(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer);
    this.#timers.delete(key);
  }

  #next(): void {
    if (!this.#running) return;
    const may = (key: string, namespace: string) => !this.#working.has(key) && this.#mayBegin(namespace);
    for (let key = this.#ready.next(may); key !== undefined; key = this.#ready.next(may)) this.#begin(key);
  }

  #mayBegin(namespace: string): boolean {
    const own = [...this.#working.keys()].filter((key) => namespaceOf(key) === namespace).length;
    return mayBegin({ own, all: this.#working.size, concurrency: this.settings.concurrency });
  }

  #begin(key: string): void {
    const done = this.#work(key).finally(() => {
      this.#working.delete(key);
      this.#next();
    });
    this.#working.set(key, done);
  }

  async #work(key: string): Promise<void> {
    try {
      const againMs = await this.settings.work(key);
      this.#failures.delete(key);
      if (againMs !== undefined && this.#running) this.add(key, Math.max(1, againMs));
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      this.settings.onFailure?.(key, error, failures);
      if (this.#running) this.add(key, Math.max(1, backoffMs(this.settings.backoff, failures, Math.random())));
    }
  }
}

/**
 * True if a namespace may start another job: while it has fewer in progress than are free. A single namespace gets half
 * of the concurrency, two get a third each, so another namespace always finds a free slot.
 * @param own - the namespace's jobs in progress. @param all - those of all namespaces.
 */
export function mayBegin({ own, all, concurrency }: Readonly<Record<'own' | 'all' | 'concurrency', number>>): boolean {
  return own < concurrency - all;
}

function namespaceOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')));
}

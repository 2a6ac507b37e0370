import { timerMs } from '../../util/clock.js';
import { type Backoff, backoffMs } from './backoff.js';
import { RoundRobin } from './round-robin.js';

export interface QueueSettings {
  /** Works on one key. @returns how long until the key is due again; undefined: not before something happens. */
  readonly work: (key: string) => Promise<number | undefined>;
  /** Keys processed at once; one namespace gets as many as it leaves free. */
  readonly concurrency: number;
  readonly backoff: Backoff;
  /** @param failures - in a row. */
  readonly onFailure?: (key: string, error: unknown, failures: number) => void;
}

/**
 * Queue of jobs to reconcile, by key `namespace/name`. A key is contained once however often it is added, and never
 * processed twice at the same time. Failed keys are retried with growing delays. Namespaces take turns, and none may use
 * the whole concurrency.
 */
export class WorkQueue {
  readonly #ready = new RoundRobin<string>();
  readonly #working = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, { readonly atMs: number; readonly timer: NodeJS.Timeout }>();
  readonly #failures = new Map<string, number>();
  #running = false;

  constructor(private readonly settings: QueueSettings) {}

  /** Keys that wait to be worked on now. */
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

  /** Begins nothing new. @returns once what has begun is done. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#working.values());
  }

  /** @param delayMs - from now; the earliest of several counts. 0: next in the row. */
  add(key: string, delayMs = 0): void {
    if (delayMs <= 0) {
      this.#cancel(key);
      this.#ready.add(namespaceOf(key), key);
      this.#next();
    } else if (!this.#ready.has(namespaceOf(key), key)) this.#addLater(key, delayMs);
  }

  /** Drops what is planned for a key that is no more. */
  forget(key: string): void {
    this.#cancel(key);
    this.#ready.delete(namespaceOf(key), key);
    this.#failures.delete(key);
  }

  /** Adds the key after `wantedMs`, or earlier if a timer can't wait that long; the key is then planned again. */
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
 * Whether a namespace may start another job: while it has fewer than are free. One alone gets half of them, two a third
 * each, so the next namespace finds a free one, up to as many namespaces as the concurrency.
 * @param own - jobs in progress of the namespace. @param all - of all namespaces.
 */
export function mayBegin({ own, all, concurrency }: Readonly<Record<'own' | 'all' | 'concurrency', number>>): boolean {
  return own < concurrency - all;
}

function namespaceOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')));
}

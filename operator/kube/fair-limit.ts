import { timerMs } from '../../util/clock.js';
import { RateLimit } from './rate-limit.js';
import { RoundRobin } from './round-robin.js';

type Pass = () => void;

/** Rate limit shared by namespaces. Waiting requests are admitted round-robin by namespace. */
export class FairLimit {
  readonly #limit: RateLimit;
  readonly #waiting = new RoundRobin<Pass>();
  #timer: NodeJS.Timeout | undefined;

  /** @param perSecond - average rate. @param burst - largest burst. */
  constructor(perSecond: number, burst: number) {
    this.#limit = new RateLimit(perSecond, burst);
  }

  /** Resolves when a request of the namespace may be sent. @throws the signal's reason if it is aborted first. */
  async pass(namespace: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting.size === 0 && this.#limit.tryTake(performance.now())) return;
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(namespace, pass);
        reject(signal?.reason as Error);
      };
      const pass = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(namespace, pass);
      this.#schedule();
    });
  }

  /** Delays all requests until `untilMs`, monotonic. */
  holdUntil(untilMs: number): void {
    this.#limit.holdUntil(untilMs);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => this.#release(), timerMs(Math.max(1, this.#limit.untilNextMs(performance.now()))));
  }

  #release(): void {
    this.#timer = undefined;
    while (this.#waiting.size > 0 && this.#limit.tryTake(performance.now())) this.#waiting.next()!();
    this.#schedule();
  }
}

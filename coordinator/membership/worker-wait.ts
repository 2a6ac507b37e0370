import { ClusterError } from '../../proto/errors.js';
import { decideStart } from './presence.js';
import type { Roster } from './roster.js';

export interface WaitOptions {
  /** Workers that must be ready. */
  readonly wanted: number;
  readonly limitMs?: number | undefined;
  /** Called with each new reason to wait. */
  readonly onWaiting: (reason: string) => void;
  /** Checked at each `wake`; true ends the wait early. */
  readonly isCancelled?: () => boolean;
}

/** Waits for ready workers, as before the first step. Call `wake` after each change of the roster. */
export class WorkerWait {
  #wake: (() => void) | undefined;

  constructor(private readonly roster: Roster) {}

  /** @throws ClusterError NO_WORKERS after `limitMs`, if set. */
  async wait({ wanted, limitMs, onWaiting, isCancelled = () => false }: WaitOptions): Promise<void> {
    const deadline = performance.now() + (limitMs ?? Infinity);
    for (let reported = ''; !isCancelled();) {
      const decision = decideStart(this.roster.presence(), wanted);
      if (decision.start) return this.roster.forgetGone();
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        const limit = Math.round(limitMs! / 1000);
        throw new ClusterError('NO_WORKERS', `start: ${decision.reason} after ${limit} s; see the workers' logs`);
      }
      if (decision.reason !== reported) onWaiting((reported = decision.reason));
      await this.#changeOrTimeout(leftMs);
    }
  }

  wake(): void {
    this.#wake?.();
  }

  async #changeOrTimeout(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (limitMs < Infinity) timer = setTimeout(resolve, limitMs).unref();
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

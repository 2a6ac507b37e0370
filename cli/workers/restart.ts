import { wrongUsageExitCode } from '../exit-codes.js';
import { type Backoff, backoffMs } from '../../util/backoff.js';

/** Unexpected exits of a local worker. */
export interface Ends {
  /** Consecutive exits, without a long ready period in between. */
  readonly inARow: number;
  /** Consecutive exits before the worker was ready. */
  readonly neverReady: number;
}

const backoff: Backoff = { firstMs: 250, maxMs: 8_000, jitter: 0 };
const mostNeverReady = 5;

/**
 * True if a worker with this exit code must not be restarted: it stopped on request, or every restart would fail in the
 * same way.
 */
export function isFinalEnd(code: number | null): boolean {
  return code === 0 || code === wrongUsageExitCode;
}

/** Decides on the restart of a worker that exited unexpectedly. The delay doubles up to 8 s. */
export function decideRestart({ inARow, neverReady }: Ends): { readonly delayMs: number } | 'give up' {
  if (neverReady >= mostNeverReady) return 'give up';
  return { delayMs: backoffMs(backoff, inARow, 0) };
}

import { wrongUsageExitCode } from '../exit-codes.js';

/** Unexpected exits of a local worker. */
export interface Ends {
  /** Consecutive exits, without a long ready period in between. */
  readonly inARow: number;
  /** Consecutive exits before the worker was ready. */
  readonly neverReady: number;
}

const firstDelayMs = 250;
const longestDelayMs = 8_000;
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
  return { delayMs: Math.min(longestDelayMs, firstDelayMs * 2 ** (inARow - 1)) };
}

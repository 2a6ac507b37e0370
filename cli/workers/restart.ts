import { wrongUsageExitCode } from '../exit-codes.js';

/** How often a local worker has ended unexpectedly. */
export interface Ends {
  /** In a row, without having worked for long in between. */
  readonly inARow: number;
  /** In a row, without having been ready. */
  readonly neverReady: number;
}

const firstDelayMs = 250;
const longestDelayMs = 8_000;
const mostNeverReady = 5;

/**
 * True if a worker with this exit code must not be restarted: it was asked to stop, as by SIGTERM, or its exit code
 * means that every restart would end in the same way.
 */
export function isFinalEnd(code: number | null): boolean {
  return code === 0 || code === wrongUsageExitCode;
}

/** Whether a local worker that ended unexpectedly is started again, and after how long: ever longer, up to 8 s. */
export function decideRestart({ inARow, neverReady }: Ends): { readonly delayMs: number } | 'give up' {
  if (neverReady >= mostNeverReady) return 'give up';
  return { delayMs: Math.min(longestDelayMs, firstDelayMs * 2 ** (inARow - 1)) };
}

import { EngineError } from '../engine/errors.js';
import { JobError, type JobErrorCode } from '../job/errors.js';
import { ClusterError } from '../proto/errors.js';

/** Exit code of a command that failed. */
export const failedExitCode = 1;
/** Exit code for invalid arguments or an invalid job spec. */
export const wrongUsageExitCode = 2;
/** Exit code of a run stopped by Ctrl-C or SIGTERM, by the shells' convention. */
export const interruptedExitCode = 130;

/** Every exit code, with its meaning. */
export const exitCodes = {
  0: 'done',
  [failedExitCode]: 'failed',
  [wrongUsageExitCode]: 'wrong usage: arguments, job spec, model or data that another attempt would reject again',
  [interruptedExitCode]: 'stopped by Ctrl-C, SIGTERM or `lockstep stop`',
} as const;

/** Exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  return isWrongUsage(error) ? wrongUsageExitCode : failedExitCode;
}

/** Problems with a user's input. */
const wrongUsageCodes = new Set<JobErrorCode>([
  'BAD_SPEC',
  'BAD_OPTION',
  'BAD_MODEL',
  'UNKNOWN_MODEL',
  'BAD_DATA',
  'NO_DATA',
]);

/** True for a failed download; a retry may succeed. */
function isDownload(cause: unknown): boolean {
  return cause instanceof JobError && cause.code === 'DOWNLOAD_FAILED';
}

/** True if a retry of the same job would fail in the same way. */
function isWrongUsage(error: unknown): boolean {
  if (error instanceof JobError) return wrongUsageCodes.has(error.code) && !isDownload(error.cause);
  if (error instanceof ClusterError) return error.code === 'BAD_ENGINE';
  return error instanceof EngineError && ['UNSUPPORTED_MODEL', 'UNSUPPORTED_KERNEL'].includes(error.code);
}

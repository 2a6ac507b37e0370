import { EngineError } from '../engine/errors.js';
import { JobError, type JobErrorCode } from '../job/errors.js';
import { ClusterError } from '../proto/errors.js';

/** Exit code of a command that could not do what it was asked for. */
export const failedExitCode = 1;
/** Exit code of a command whose arguments or job spec do not make sense. */
export const wrongUsageExitCode = 2;
/** Exit code of a run that Ctrl-C or SIGTERM ended, as shells have it. */
export const interruptedExitCode = 130;

/** Exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  return isWrongUsage(error) ? wrongUsageExitCode : failedExitCode;
}

/** Problems with a user's input: the job, its model, its data. */
const wrongUsageCodes = new Set<JobErrorCode>([
  'BAD_SPEC',
  'BAD_OPTION',
  'BAD_MODEL',
  'UNKNOWN_MODEL',
  'BAD_DATA',
  'NO_DATA',
]);

/** True for a failed download, which may succeed the next time. */
function isDownload(cause: unknown): boolean {
  return cause instanceof JobError && cause.code === 'DOWNLOAD_FAILED';
}

/** True if another attempt at the same job would fail in the same way. */
function isWrongUsage(error: unknown): boolean {
  if (error instanceof JobError) return wrongUsageCodes.has(error.code) && !isDownload(error.cause);
  if (error instanceof ClusterError) return error.code === 'BAD_ENGINE';
  return error instanceof EngineError && ['UNSUPPORTED_MODEL', 'UNSUPPORTED_KERNEL'].includes(error.code);
}

/** Problems of a job before it starts: its spec, model, data or run directory. */
export type JobErrorCode =
  | 'BAD_SPEC'
  | 'BAD_OPTION'
  | 'UNKNOWN_MODEL'
  | 'BAD_MODEL'
  | 'BAD_DATA'
  | 'NO_DATA'
  | 'DOWNLOAD_FAILED'
  | 'BAD_RUN_DIRECTORY'
  | 'JOB_IN_USE';

/** An error that the user can fix. The message states what was expected, what was found and what to do. */
export class JobError extends Error {
  override readonly name = 'JobError';
  constructor(
    readonly code: JobErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

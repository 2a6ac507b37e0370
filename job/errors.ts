/** What can be wrong with a job before it runs: its spec, its model, its data, the place where it is to be written. */
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

/** An error that the user can mend. The message says what was expected, what was found and what to do. */
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

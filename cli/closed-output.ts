/** Errors of a stream that nobody reads any more: a pipe whose reader has ended, a terminal that was closed. */
const closedCodes: readonly (string | undefined)[] = ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'];

/** Whether `error` says that a stream's reader is gone. */
export function isClosed(error: NodeJS.ErrnoException): boolean {
  return closedCodes.includes(error.code);
}

/**
 * Lets commands go on without a stack trace when standard output or error is closed, as by `| head`: what they print from
 * then on is dropped, what they do is done. Other errors, such as a full disk, are reported once by `onError`.
 */
export function tolerateClosedOutput(onError: (stream: string, error: Error) => void): void {
  for (const [name, stream] of [
    ['standard output', process.stdout] as const,
    ['standard error', process.stderr] as const,
  ]) {
    let isReported = false;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (isReported || isClosed(error)) return;
      isReported = true;
      onError(name, error);
    });
  }
}

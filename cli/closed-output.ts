/** Errors of a stream without a reader: a pipe whose reader has ended, or a closed terminal. */
const closedCodes: readonly (string | undefined)[] = ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'];

/** True if `error` means that a stream's reader has ended. */
export function isClosed(error: NodeJS.ErrnoException): boolean {
  return closedCodes.includes(error.code);
}

/**
 * Keeps commands running when standard output or error is closed, as by `| head`. Later output is discarded.
 * Other errors, such as a full disk, are reported once by `onError`.
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

/** Error codes of a stream whose reader has closed, such as a pipe or a terminal. */
const closedCodes: readonly (string | undefined)[] = ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'];

/** True if `error` means that a stream's reader has closed. */
function isClosed(error: NodeJS.ErrnoException): boolean {
  return closedCodes.includes(error.code);
}

/**
 * Keeps commands running when standard output or error is closed, as by `| head`. Later output is discarded.
 * Other errors, such as a full disk, are passed to `onError` once per stream.
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

import { createRequire } from 'node:module';
import type CliProgress from 'cli-progress';

/**
 * Callbacks that show a download's progress: a bar on a terminal, else a line per 10 %. Call `stop` at the end, also
 * after an error, to close the bar.
 */
export function downloadProgress(stream: NodeJS.WriteStream = process.stderr) {
  const bar = stream.isTTY ? newBar(stream) : undefined;
  let tenth = -1;
  const onProgress = (bytes: number, total: number | undefined) => {
    const size = total ?? 170_052_171;
    if (bar !== undefined) {
      if (tenth < 0) bar.start(Math.round(size / 1e6), 0);
      bar.update(Math.round(bytes / 1e6));
    }
    const reached = Math.floor((bytes / size) * 10);
    if (reached > tenth && bar === undefined) stream.write(`download CIFAR-10: ${reached * 10} %\n`);
    tenth = Math.max(tenth, reached);
  };
  return {
    onProgress,
    onWait: () => stream.write('download CIFAR-10: another process is downloading; waiting for it\n'),
    stop: () => bar?.stop(),
  };
}

function newBar(stream: NodeJS.WriteStream): CliProgress.SingleBar {
  // Loaded only for terminals.
  const { SingleBar } = createRequire(import.meta.url)('cli-progress') as typeof CliProgress;
  const format = 'CIFAR-10 {bar} {percentage}% | {value} of {total} MB | {eta_formatted} left';
  return new SingleBar({ stream, format, hideCursor: true });
}

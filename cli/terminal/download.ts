import { createRequire } from 'node:module';
import type CliProgress from 'cli-progress';

/**
 * Callbacks that draw a download's progress: a bar on a terminal, else a line at the start and at each tenth.
 * Call `stop` at the end, also after an error, or the bar stays open.
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
    onWait: () => stream.write('download CIFAR-10: another process is at it; waiting for it to finish\n'),
    stop: () => bar?.stop(),
  };
}

function newBar(stream: NodeJS.WriteStream): CliProgress.SingleBar {
  // Only where there is something to draw on.
  const { SingleBar } = createRequire(import.meta.url)('cli-progress') as typeof CliProgress;
  const format = 'CIFAR-10 {bar} {percentage}% | {value} of {total} MB | {eta_formatted} left';
  return new SingleBar({ stream, format, hideCursor: true });
}

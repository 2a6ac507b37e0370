import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import type pino from 'pino';
import type { Logger, StreamEntry } from 'pino';
import type pretty from 'pino-pretty';

/** Loads the logging packages only when needed. They are CommonJS, where `require` is faster than `import`. */
const require = createRequire(import.meta.url);

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Creates a log that writes to standard error, formatted on a terminal and as JSON lines otherwise, and to `file` from
 * level `debug`.
 * @param level - lowest level shown on standard error.
 * @param file.onError - called when the file cannot be written, as on a full disk; logging to it stops.
 */
export function createLog(
  level: LogLevel,
  file?: { readonly path: string; readonly onError: (error: Error) => void },
): Logger {
  const log = require('pino') as typeof pino;
  const streams: StreamEntry[] = level === 'silent' ? [] : [{ level, stream: terminalStream(log) }];
  if (file !== undefined) {
    const stream = createWriteStream(file.path, { flags: 'a' }).on('error', file.onError);
    streams.push({ level: 'debug', stream });
  }
  return log({ level: 'debug', base: null }, log.multistream(streams));
}

function terminalStream(log: typeof pino): pino.DestinationStream {
  if (!process.stderr.isTTY) {
    const stream = log.destination({ dest: 2, sync: true });
    // A closed standard error, or a full disk behind it, must not stop a run. log.jsonl has the same lines.
    return stream.on('error', () => undefined);
  }
  const format = require('pino-pretty') as typeof pretty;
  return format({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
}

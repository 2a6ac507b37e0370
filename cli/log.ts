import { createWriteStream } from 'node:fs';
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * The log: to standard error, readable on a terminal and as JSON lines elsewhere, and to `file` from `debug` up.
 * @param level - lowest level shown on standard error.
 */
export function createLog(level: LogLevel, file?: string): Logger {
  const terminal = process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
    : pino.destination({ dest: 2, sync: true });
  const streams: pino.StreamEntry[] = level === 'silent' ? [] : [{ level, stream: terminal }];
  if (file !== undefined) streams.push({ level: 'debug', stream: createWriteStream(file, { flags: 'a' }) });
  return pino({ level: 'debug', base: null }, pino.multistream(streams));
}

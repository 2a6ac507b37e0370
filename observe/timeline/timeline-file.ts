import { createWriteStream, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { TraceEvent } from './trace-event.js';

/** Largest file that a browser can still open. */
export const maxTimelineBytes = 256 * 1024 * 1024;
/** Maximum number of bytes that wait in memory for a slow disk. */
const maxPendingBytes = 8 * 1024 * 1024;

/** Outcome of appending events; dropped when the disk is too slow. */
export type Appended = 'written' | 'dropped' | 'full';

/**
 * A file in the Chrome trace event format, as a JSON array that grows event by event. Readers accept an array without
 * its end, so the file can be opened at any time, even after a crash.
 */
export class TimelineFile {
  #bytes = 0;
  #isFull = false;
  readonly #done: Promise<void>;

  private constructor(
    readonly path: string,
    private readonly stream: WriteStream,
    onError: (error: Error) => void,
  ) {
    stream.on('error', onError);
    this.#done = finished(stream).catch(() => undefined);
    this.#write('[\n');
  }

  /** Creates `trace.json`, or `trace-2.json` and so on if earlier starts left one. */
  static async create(directory: string, onError: (error: Error) => void): Promise<TimelineFile> {
    for (let n = 1; ; n++) {
      const path = join(directory, n === 1 ? 'trace.json' : `trace-${n}.json`);
      const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return undefined;
      });
      if (file) return new TimelineFile(path, createWriteStream(path, { fd: file }), onError);
    }
  }

  append(events: readonly TraceEvent[]): Appended {
    if (this.#isFull) return 'full';
    if (this.stream.writableLength > maxPendingBytes) return 'dropped';
    this.#write(events.map((event) => `${JSON.stringify(event)},\n`).join(''));
    this.#isFull = this.#bytes >= maxTimelineBytes;
    return this.#isFull ? 'full' : 'written';
  }

  /** Completes the array. Resolves when it is written or has failed. @param last - last event of the array. */
  async close(last: TraceEvent): Promise<void> {
    if (!this.stream.destroyed) this.stream.end(`${JSON.stringify(last)}\n]\n`);
    await this.#done;
  }

  #write(text: string): void {
    this.#bytes += text.length;
    this.stream.write(text);
  }
}

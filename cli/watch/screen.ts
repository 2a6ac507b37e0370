import { styleText } from 'node:util';
import type { ReadStream, WriteStream } from 'node:tty';
import type { Emphasis, WatchSize } from './view.js';

const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';

/** The terminal's alternate screen; `close` restores the previous content. */
export class Screen {
  #onResize: () => void = () => undefined;
  #onKey: (key: Buffer) => void = () => undefined;
  #open = true;

  constructor(
    private readonly output: WriteStream,
    private readonly input: ReadStream | undefined,
  ) {
    output.write(enter);
    process.once('exit', this.close);
    if (!input) return;
    input.setRawMode(true);
    input.resume();
  }

  get size(): WatchSize {
    return { columns: this.output.columns, rows: this.output.rows };
  }

  /** @param leave - called for q, Escape and Ctrl-C, which raw mode does not turn into a signal. */
  listen(redraw: () => void, leave: (interrupted: boolean) => void): void {
    this.#onResize = redraw;
    this.#onKey = (key) => {
      const text = key.toString();
      if (text === 'q' || text === 'Q' || text === '\x1b') leave(false);
      if (text.includes('\x03')) leave(true);
    };
    this.output.on('resize', this.#onResize);
    this.input?.on('data', this.#onKey);
  }

  draw(lines: readonly string[]): void {
    if (this.#open) this.output.write(home + lines.map((line) => line + clearLine).join('\r\n') + clearBelow);
  }

  /** Restores the terminal; also called when the process exits. */
  readonly close = (): void => {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.close);
    this.output.off('resize', this.#onResize);
    this.output.write(leave);
    if (!this.input) return;
    this.input.off('data', this.#onKey);
    this.input.setRawMode(false);
    this.input.pause();
  };
}

/** Applies colours, unless the user has disabled them (https://no-color.org). */
export function emphasis(wanted: boolean): Emphasis {
  const formats = { strong: 'bold', quiet: 'dim', good: 'green', bad: 'red' } as const;
  return (kind, text) => (wanted ? styleText(formats[kind], text) : text);
}

import { appendFileSync, mkdirSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ChartRenderer } from '../../run/report/render.js';
import { eventEncoder, fileVersion, image, markdown, type Picture, scalars, sessionStarts } from './encode.js';
import type { TensorboardItem } from './item.js';

const prefix = 'events.out.tfevents.';

/** An event file: complete records only, each handed to the system when `write` resolves. */
export class EventFile {
  readonly path: string;
  readonly #encode = eventEncoder();
  #renderer: Promise<ChartRenderer> | undefined;

  /**
   * Creates a file that replaces earlier ones: TensorBoard reads a folder's files in the order of their names, and drops
   * what it has read when a session starts at step 0.
   */
  constructor(directory: string, nowSeconds: number) {
    mkdirSync(directory, { recursive: true });
    const seconds = nextTime(readdirSync(directory), nowSeconds);
    this.path = join(directory, `${prefix}${seconds}.${hostname()}.${process.pid}.lockstep`);
    const begin = [fileVersion, sessionStarts].map((content) => this.#encode(nowSeconds, 0, content));
    appendFileSync(this.path, Buffer.concat(begin), { flag: 'ax' });
  }

  async write(items: readonly TensorboardItem[]): Promise<void> {
    const records: Buffer[] = [];
    for (const item of items) records.push(this.#encode(item.wallSeconds, item.step, await this.#content(item)));
    appendFileSync(this.path, Buffer.concat(records));
  }

  async #content(item: TensorboardItem) {
    if (item.kind === 'scalars') return scalars(item.values);
    if (item.kind === 'text') return markdown(item.tag, item.text);
    return image('confusion', await this.#draw(item));
  }

  async #draw({ title, confusion, classes }: TensorboardItem & { kind: 'confusion' }): Promise<Picture> {
    const [{ loadRenderer, pictureStyle }, { confusionChart }] = await Promise.all([
      import('../../run/report/render.js'),
      import('../../run/report/charts/confusion.js'),
    ]);
    const renderer = await (this.#renderer ??= loadRenderer());
    const chart = confusionChart(confusion, classes, pictureStyle(title));
    const png = await renderer.png(renderer.svg(chart, 'confusion'));
    return { png, ...pngSize(png) };
  }
}

/** Seconds for a new file's name: now, but later than all existing files. */
function nextTime(names: readonly string[], nowSeconds: number): number {
  const times = names.filter((name) => name.startsWith(prefix)).map((name) => parseInt(name.slice(prefix.length), 10));
  return Math.max(Math.floor(nowSeconds), ...times.filter(Number.isFinite).map((time) => time + 1));
}

/** Width and height are at bytes 16 and 20 of every PNG file. */
function pngSize(png: Uint8Array): { width: number; height: number } {
  const view = new DataView(png.buffer, png.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

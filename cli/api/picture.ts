import { writeFile } from 'node:fs/promises';

/**
 * A PNG with a caption.
 *
 * A notebook shows the last value of a cell by calling its `Jupyter.display` method, as Deno's kernel defines it. Scripts
 * can call `save`.
 */
export class Picture {
  constructor(
    readonly png: Uint8Array,
    readonly caption: string,
  ) {}

  async save(path: string): Promise<void> {
    await writeFile(path, this.png);
  }

  [Symbol.for('Jupyter.display')](): Record<string, string> {
    return { 'image/png': Buffer.from(this.png).toString('base64'), 'text/plain': this.caption };
  }
}

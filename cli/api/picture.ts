import { writeFile } from 'node:fs/promises';

/**
 * A PNG with a line that says what it shows.
 *
 * The last value of a notebook's cell is shown by its `Jupyter.display` method, as Deno's kernel defines it. In a
 * script it is nothing; `save` writes the file there.
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

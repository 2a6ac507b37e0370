/** Limits of an image file. All images being decoded take at most about 0.6 GB together, whatever their contents. */

/** A photograph has about a tenth of this. */
export const maxImageBytes = 64 * 1024 * 1024;
/** Pixels of an image, and of all images being decoded. The most expensive format takes 8 bytes per pixel. */
export const maxPixels = 8192 * 8192;
/** Scans of a JPEG; progressive images have about ten. */
export const maxScans = 100;
/** The largest permitted image takes 7 s on a busy machine. */
export const decodeLimitSeconds = 60;

/** Limits the images being decoded to `maxPixels` in total; further images wait in a queue. */
export class PixelBudget {
  #free = maxPixels;
  readonly #waiting: { readonly pixels: number; readonly enter: () => void }[] = [];

  /** Runs `decode` as soon as the budget permits. @param pixels - at most `maxPixels`. */
  async admit<Result>(pixels: number, decode: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((enter) => {
      this.#waiting.push({ pixels, enter });
      this.#next();
    });
    try {
      return await decode();
    } finally {
      this.#free += pixels;
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && first.pixels <= this.#free; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= first.pixels;
      first.enter();
    }
  }
}

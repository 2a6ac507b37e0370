/** Limits of an image file. Whatever it holds, all images being decoded together take at most about 0.6 GB. */

/** 64 MiB; a photograph takes a tenth of it. */
export const maxImageBytes = 64 * 1024 * 1024;
/** Pixels of an image, and of all images that are being decoded. The most expensive kind takes 8 bytes for each. */
export const maxPixels = 8192 * 8192;
/** Scans of a JPEG; progressive ones have about ten. */
export const maxScans = 100;
/** The largest image takes 7 s on a busy machine. */
export const decodeLimitSeconds = 60;

/** Admits images to the decoder in their order, as long as those inside have at most `maxPixels` together. */
export class PixelBudget {
  #free = maxPixels;
  readonly #waiting: { readonly pixels: number; readonly enter: () => void }[] = [];

  /** Runs `decode` once there is room. @param pixels - at most `maxPixels`. */
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

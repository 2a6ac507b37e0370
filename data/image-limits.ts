/** Limits of an image file. All images being decoded together take at most about 0.6 GB, whatever they contain. */

/** 64 MiB; a photograph has a tenth of that. */
export const maxImageBytes = 64 * 1024 * 1024;
/** Pixels of an image, and of all images that are being decoded. The most expensive kind takes 8 bytes for each. */
export const maxPixels = 8192 * 8192;
/** Scans of a JPEG; progressive ones have about ten. */
export const maxScans = 100;
/** The largest image takes 7 s on a busy machine. */
export const decodeLimitSeconds = 60;

/** Admits images to the decoder in order, while those being decoded have at most `maxPixels` together. */
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

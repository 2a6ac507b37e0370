import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** One colour, or one per pixel: `[red, green, blue]` at row `y` and column `x`. */
type Painter = (x: number, y: number) => readonly number[];

export interface PaintedImage {
  readonly width: number;
  readonly height: number;
  readonly channels?: 1 | 2 | 3 | 4;
  readonly paint: Painter;
}

/** Pixels, u8 `[height, width, channels]`. */
export function pixelsOf({ width, height, channels = 3, paint }: PaintedImage): Uint8Array {
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(paint(x, y).slice(0, channels), (y * width + x) * channels);
  }
  return pixels;
}

/** An image file's content, as the ending of its name says. */
export async function encodeImage(name: string, image: PaintedImage): Promise<Uint8Array> {
  const { width, height, channels = 3 } = image;
  const raw = sharp(pixelsOf(image), { raw: { width, height, channels } });
  return name.endsWith('.png') ? raw.png().toBuffer() : raw.jpeg({ quality: 95 }).toBuffer();
}

/** Writes an image file, and the folders around it. */
export async function paintFile(root: string, name: string, image: PaintedImage): Promise<void> {
  const path = join(root, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await encodeImage(name, image));
}

/**
 * A class of images that a network tells from others at once: one hue, with a brightness that varies from image to
 * image.
 */
export function hue(color: readonly number[], k: number, width = 12, height = 10): PaintedImage {
  return {
    width,
    height,
    paint: (x, y) => color.map((value) => Math.min(255, value + ((x * 7 + y * 3 + k * 11) % 40))),
  };
}

import { readFile, stat } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { JobError } from '../job/errors.js';
import type { ImageFormat } from '../job/image-format.js';
import { isImage, readHeader } from './image-header.js';
import { decodeLimitSeconds, maxImageBytes, maxPixels, maxScans, PixelBudget } from './image-limits.js';

const budget = new PixelBudget();

/**
 * Reads an image file.
 * @throws JobError BAD_DATA if it is too large; the system's error if it can't be read.
 */
export async function readImageFile(name: string): Promise<Uint8Array> {
  const { size } = await stat(name);
  if (size <= maxImageBytes) return readFile(name);
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  throw badImage(name, megabytes(size), { expected: `at most ${megabytes(maxImageBytes)}` });
}

/**
 * Decodes a PNG or JPEG, detected by content, into u8 `[height, width, channels]`: rotated upright, in sRGB or grey, on
 * white where transparent, resampled with the Lanczos filter.
 *
 * SIMD and the decoder's own downscaling are disabled, because they differ between machines. If bits differ anyway, so
 * does the dataset's digest, and a run isn't resumed with other data. Pixels, scans and time are limited; see
 * `image-limits.ts`.
 * @param name - the file's name, for messages.
 * @throws JobError BAD_DATA
 */
export async function decodeImage(bytes: Uint8Array, name: string, format: ImageFormat): Promise<Uint8Array> {
  if (!isImage(bytes)) throw badImage(name, bytes.length === 0 ? 'an empty file' : kindOf(bytes));
  const pixels = checkHeader(bytes, name);
  const sharp = await loadDecoder();
  try {
    return await budget.admit(pixels, async () => {
      const image = sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels });
      const raw = converted(image, format).timeout({ seconds: decodeLimitSeconds }).raw({ depth: 'uchar' });
      const { data, info } = await raw.toBuffer({ resolveWithObject: true });
      if (info.channels === format.channels) return data;
      throw new Error(`${info.channels} channels after conversion to ${format.channels}`);
    });
  } catch (cause) {
    throw badImage(name, `a damaged one (${firstLine((cause as Error).message)})`, { cause });
  }
}

/** Checks limits. @returns the number of pixels. @throws JobError BAD_DATA for an image that is too expensive to decode. */
function checkHeader(bytes: Uint8Array, name: string): number {
  const header = readHeader(bytes);
  if (!header) throw badImage(name, 'a damaged one (no header)');
  const { width, height, scans } = header;
  if (width * height > maxPixels) {
    throw badImage(name, `${width} × ${height} pixels`, { expected: `at most ${maxPixels / 1024 / 1024} Mi pixels` });
  }
  if (scans > maxScans) throw badImage(name, String(scans), { expected: `a JPEG of at most ${maxScans} scans` });
  return width * height;
}

/** Signatures, as Latin-1, of formats that are often named .png or .jpg by mistake. */
const otherKinds: readonly (readonly [RegExp, string])[] = [
  [/^GIF8/, 'a GIF'],
  [/^RIFF.{4}WEBP/s, 'a WebP'],
  [/^(II\*\0|MM\0\*)/, 'a TIFF'],
  [/^BM/, 'a BMP'],
  [/^.{4}ftyp(heic|heix|mif1|msf1)/s, 'a HEIC'],
  [/^.{4}ftypavif/s, 'an AVIF'],
  [/^version https:\/\/git-lfs/, 'a Git LFS pointer (git lfs pull replaces it with the file)'],
  [/^\s*<(!doctype html|html)/i, 'an HTML page'],
];

function kindOf(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  return otherKinds.find(([pattern]) => pattern.test(start))?.[1] ?? 'a file of another type';
}

function converted(image: Sharp, { height, width, channels, fit }: ImageFormat): Sharp {
  return image
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .resize({ height, width, fit, background: '#000000', kernel: 'lanczos3', fastShrinkOnLoad: false })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb');
}

let decoder: ReturnType<typeof prepareDecoder> | undefined;

/** Loads the decoder on first use, which takes 0.1 s. */
function loadDecoder() {
  return (decoder ??= prepareDecoder());
}

async function prepareDecoder() {
  const { default: sharp } = await import('sharp');
  // Second line of defence after `isImage`: all other loaders are disabled.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer'] });
  sharp.simd(false);
  sharp.cache(false);
  // `decodeAll` decodes several images at once instead.
  sharp.concurrency(1);
  return sharp;
}

/** First line of the decoder's message; further lines may repeat it. */
function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]!.replaceAll(/\s+/g, ' ');
}

function badImage(
  name: string,
  found: string,
  { expected = 'a PNG or JPEG', cause }: { readonly expected?: string; readonly cause?: unknown } = {},
): JobError {
  const message = `read image: expected ${expected}, got ${found}; ${name}; replace or remove the file`;
  return new JobError('BAD_DATA', message, { cause });
}

/** Unusable files named in a message. */
const namedFiles = 20;

/** One error for all unusable images. */
export function badImages(problems: readonly JobError[]): JobError {
  if (problems.length === 1) return problems[0]!;
  const named = problems.slice(0, namedFiles).map(({ message }) => `  ${message}`);
  const more = problems.length > namedFiles ? [`  and ${problems.length - namedFiles} more`] : [];
  return new JobError(
    'BAD_DATA',
    `read images: ${problems.length} files are unusable\n${[...named, ...more].join('\n')}`,
  );
}

import type { Sharp } from 'sharp';
import { JobError } from '../errors.js';
import type { ImageFormat } from '../image-format.js';

/** Bytes with which files begin that are decoded; the decoder knows more kinds, some of which could name other files. */
const signatures = [
  [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  [0xff, 0xd8, 0xff],
];

/**
 * Decodes a PNG or JPEG into u8 `[height, width, channels]`: turned upright, in sRGB or grey, on white where it is
 * transparent, resampled by Lanczos's filter.
 *
 * The decoder is told to use neither SIMD nor a decoder's own shrinking, of which machines have different kinds. Should
 * bits differ all the same, so does the dataset's digest, and a run does not go on with other data unnoticed.
 * @param name - the file, for messages.
 * @throws JobError BAD_DATA
 */
export async function decodeImage(bytes: Uint8Array, name: string, format: ImageFormat): Promise<Uint8Array> {
  if (!signatures.some((signature) => signature.every((byte, i) => bytes[i] === byte))) {
    throw badImage(name, bytes.length === 0 ? 'an empty file' : kindOf(bytes));
  }
  const sharp = await loadDecoder();
  try {
    const image = sharp(bytes, { failOn: 'error' });
    const { data, info } = await converted(image, format).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels === format.channels) return data;
    throw new Error(`${info.channels} channels after conversion to ${format.channels}`);
  } catch (cause) {
    throw badImage(name, `a damaged one (${firstLine((cause as Error).message)})`, cause);
  }
}

/** First bytes, as Latin-1, of files that are often named .png or .jpg by mistake. */
const otherKinds: readonly (readonly [RegExp, string])[] = [
  [/^GIF8/, 'a GIF'],
  [/^RIFF.{4}WEBP/s, 'a WebP'],
  [/^(II\*\0|MM\0\*)/, 'a TIFF'],
  [/^BM/, 'a BMP'],
  [/^.{4}ftyp(heic|heix|mif1|msf1)/s, 'a HEIC'],
  [/^.{4}ftypavif/s, 'an AVIF'],
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS, which git lfs pull replaces by the file'],
  [/^\s*<(!doctype html|html)/i, 'an HTML page'],
];

function kindOf(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  return otherKinds.find(([pattern]) => pattern.test(start))?.[1] ?? 'another kind of file';
}

function converted(image: Sharp, { height, width, channels, fit }: ImageFormat): Sharp {
  return image
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .resize({ height, width, fit, background: '#000000', kernel: 'lanczos3', fastShrinkOnLoad: false })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb');
}

/** Loaded only where images are decoded: it takes a tenth of a second. */
async function loadDecoder() {
  const { default: sharp } = await import('sharp');
  sharp.simd(false);
  sharp.cache(false);
  // Several images are decoded at once instead.
  sharp.concurrency(1);
  return sharp;
}

/** First line of the decoder's message, which may repeat itself. */
function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]!.replaceAll(/\s+/g, ' ');
}

function badImage(name: string, found: string, cause?: unknown): JobError {
  const message = `read image: expected a PNG or JPEG, got ${found}; ${name}; replace or remove the file`;
  return new JobError('BAD_DATA', message, { cause });
}

/** Most bad files that a message names. */
const namedFiles = 20;

/** One error for all unusable images; the first twenty are named. */
export function badImages(problems: readonly JobError[]): JobError {
  if (problems.length === 1) return problems[0]!;
  const named = problems.slice(0, namedFiles).map(({ message }) => `  ${message}`);
  const more = problems.length > namedFiles ? [`  and ${problems.length - namedFiles} more`] : [];
  return new JobError(
    'BAD_DATA',
    `read images: ${problems.length} files cannot be used\n${[...named, ...more].join('\n')}`,
  );
}

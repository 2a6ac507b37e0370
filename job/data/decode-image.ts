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
    throw badImage(name, bytes.length === 0 ? 'an empty file' : 'another kind of file');
  }
  const sharp = await loadDecoder();
  try {
    const image = sharp(bytes, { failOn: 'error' });
    const { data, info } = await converted(image, format).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels === format.channels) return data;
    throw new Error(`${info.channels} channels after conversion to ${format.channels}`);
  } catch (cause) {
    throw badImage(name, (cause as Error).message, cause);
  }
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

function badImage(name: string, found: string, cause?: unknown): JobError {
  const reason = found.replaceAll(/\s+/g, ' ').trim();
  return new JobError(
    'BAD_DATA',
    `read image: expected a PNG or JPEG, got ${reason}; ${name}; replace or remove the file`,
    { cause },
  );
}

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { generatorFor } from './random.js';
import type { AugmentSpec } from './spec.js';

/** Source and destination of an image. Both arrays are u8 `[…, H, W, C]`; offsets are in bytes. */
export interface ImageCopy {
  readonly images: Uint8Array;
  readonly imageOffset: number;
  readonly target: Uint8Array;
  readonly targetOffset: number;
  readonly imageShape: readonly [number, number, number];
}

/** Key of an image's draw; `globalIndex` is its index in the whole training set. */
export interface ImageKey {
  readonly seed: number;
  readonly epoch: number;
  readonly globalIndex: number;
}

/** One draw. `top` and `left` are the window's first pixel relative to the image; negative values are in the padding. */
interface Augmentation {
  readonly mirrored: boolean;
  readonly top: number;
  readonly left: number;
}

/**
 * Copies one image with a random horizontal flip (`flip`) and a random crop after zero padding of `crop` pixels.
 *
 * The draw depends on seed, epoch and image alone, not on the worker or step. Every byte of the target image is written.
 */
export function augmentInto(copy: ImageCopy, augment: AugmentSpec, key: ImageKey): void {
  const [height, width, channels] = copy.imageShape;
  const { images, imageOffset, target, targetOffset } = copy;
  if (!augment.flip && augment.crop === 0) {
    target.set(images.subarray(imageOffset, imageOffset + height * width * channels), targetOffset);
    return;
  }
  target.fill(0, targetOffset, targetOffset + height * width * channels);
  copyWindow(copy, drawAugmentation(augment, key));
}

function drawAugmentation({ flip, crop }: AugmentSpec, { seed, epoch, globalIndex }: ImageKey): Augmentation {
  const generator = generatorFor('augment', seed, epoch, globalIndex);
  const mirrored = uniformInt(generator, 0, 1) === 1;
  const top = uniformInt(generator, -crop, crop);
  const left = uniformInt(generator, -crop, crop);
  return { mirrored: flip && mirrored, top, left };
}

/** Copies the pixels inside the window; the rest of the target stays padding. */
function copyWindow({ images, imageOffset, target, targetOffset, imageShape }: ImageCopy, draw: Augmentation): void {
  const [height, width, channels] = imageShape;
  const firstColumn = Math.max(draw.left, 0);
  const bytes = (width - Math.abs(draw.left)) * channels;
  if (bytes <= 0) return;
  const shift = (firstColumn - draw.left) * channels;
  for (let row = Math.max(draw.top, 0); row < Math.min(draw.top + height, height); row++) {
    const from = imageOffset + (row * width + firstColumn) * channels;
    const source = images.subarray(from, from + bytes);
    const to = targetOffset + (row - draw.top) * width * channels;
    if (draw.mirrored) copyReversed(source, target, to + width * channels - shift, channels);
    else target.set(source, to + shift);
  }
}

/** Copies pixels from right to left, the first one ending at byte `end`. Channel by channel is twice as fast. */
function copyReversed(source: Uint8Array, target: Uint8Array, end: number, channels: number): void {
  for (let channel = 0; channel < channels; channel++) {
    let to = end - channels + channel;
    for (let from = channel; from < source.length; from += channels, to -= channels) target[to] = source[from]!;
  }
}

import { describe, expect, it } from 'vitest';
import { augmentInto } from '../../job/augment.js';
import { thorough } from '../thorough.js';

const imageShape = [6, 8, 3] as const;
const [height, width, channels] = imageShape;
const bytes = height * width * channels;
const guard = 5;
/** Two images of bytes that are never 0, so that border and image can be told apart. */
const images = Uint8Array.from({ length: 2 * bytes }, (_, i) => 1 + ((i * 7) % 255));

/** The second image, augmented, with guard bytes around it that must stay 255. */
function augment(spec: { flip: boolean; crop: number }, key: { seed?: number; epoch?: number; globalIndex?: number }) {
  const target = new Uint8Array(bytes + 2 * guard).fill(255);
  const copy = { images, imageOffset: bytes, target, targetOffset: guard, imageShape };
  augmentInto(copy, spec, { seed: 1, epoch: 0, globalIndex: 0, ...key });
  expect([...target.subarray(0, guard), ...target.subarray(guard + bytes)]).toEqual(new Array(2 * guard).fill(255));
  return target.subarray(guard, guard + bytes);
}

/** The augmentation by its definition, pixel by pixel. */
function expected(mirrored: boolean, top: number, left: number): Uint8Array {
  const result = new Uint8Array(bytes);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [row, column] = [y + top, left + (mirrored ? width - 1 - x : x)];
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const pixel = bytes + (row * width + column) * channels;
      result.set(images.subarray(pixel, pixel + channels), (y * width + x) * channels);
    }
  }
  return result;
}

function variants(flip: boolean, crop: number): string[] {
  const offsets = Array.from({ length: 2 * crop + 1 }, (_, i) => i - crop);
  const windows = offsets.flatMap((top) => offsets.map((left) => [top, left] as const));
  return (flip ? [false, true] : [false]).flatMap((m) => windows.map(([top, left]) => expected(m, top, left).join()));
}

describe('augmentInto', () => {
  it('copies the image unchanged without augmentation', () => {
    expect(augment({ flip: false, crop: 0 }, {})).toEqual(images.subarray(bytes));
  });

  it.each<[boolean, number]>([
    [true, 0],
    [false, 2],
    [true, 2],
    // Takes seconds.
    ...(thorough ? ([[true, 16]] as [boolean, number][]) : []),
  ])('makes every variant of the definition and nothing else (flip %s, crop %i)', (flip, crop) => {
    const keys = Array.from({ length: 80 * (crop + 1) ** 2 }, (_, globalIndex) => ({ globalIndex }));
    const seen = new Set(keys.map((key) => augment({ flip, crop }, key).join()));
    const possible = new Set(variants(flip, crop));
    expect([...seen].filter((variant) => !possible.has(variant))).toEqual([]);
    if (crop < 16) expect(seen.size).toBe(possible.size);
  });

  it('mirrors half of the images', () => {
    const mirrored = expected(true, 0, 0).join();
    const draws = Array.from({ length: 2000 }, (_, globalIndex) => augment({ flip: true, crop: 0 }, { globalIndex }));
    const share = draws.filter((image) => image.join() === mirrored).length / draws.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 2000));
  });

  it('depends on seed, epoch and image, and on nothing else', () => {
    const spec = { flip: true, crop: 2 };
    const series = (key: { seed?: number; epoch?: number }) =>
      Array.from({ length: 20 }, (_, globalIndex) => augment(spec, { ...key, globalIndex }).join()).join('|');
    const all = [series({}), series({ seed: 2 }), series({ epoch: 1 })];
    expect(new Set(all).size).toBe(3);
    expect(series({})).toBe(all[0]);
  });
});

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from '@node-rs/crc32';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeImage, readImageFile } from '../../data/decode-image.js';
import { readHeader } from '../../data/image-header.js';
import { maxPixels, PixelBudget } from '../../data/image-limits.js';
import { within } from '../proto/wire.js';
import { encodeImage } from './image-files.js';

const format = { height: 4, width: 4, channels: 3, fit: 'cover' } as const;
const decode = (bytes: Buffer) => decodeImage(bytes, 'cats/a', format);
const painted = { width: 24, height: 16, paint: (x: number, y: number) => [x * 9, y * 9, x ^ y] as const };
const raw = { raw: { width: 24, height: 16, channels: 3 as const } };
const noise = Buffer.from(Array.from({ length: 24 * 16 * 3 }, (_, i) => (i * 7919) % 256));

/** The image with another size in its header, and the checksum that belongs to it. */
function resized(png: Buffer, width: number, height: number): Buffer {
  const changed = Buffer.from(png);
  changed.writeUInt32BE(width, 16);
  changed.writeUInt32BE(height, 20);
  changed.writeUInt32BE(crc32(changed.subarray(12, 29)), 29);
  return changed;
}

/** The image with its last scan repeated. */
function withScans(jpeg: Buffer, count: number): Buffer {
  const start = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
  const [scan, end] = [jpeg.subarray(start, -2), jpeg.subarray(-2)];
  return Buffer.concat([jpeg.subarray(0, start), ...Array.from({ length: count }, () => scan), end]);
}

describe('an image that would need too many resources', () => {
  it.each([
    [65_500, 65_500],
    [8193, 8192],
    [2 ** 31 - 1, 1],
  ])('is refused by its header: %i × %i', async (width, height) => {
    const png = resized(Buffer.from(await encodeImage('a.png', painted)), width, height);
    await expect(decode(png)).rejects.toThrow(
      `read image: expected at most 64 Mi pixels, got ${width} × ${height} pixels; cats/a; replace or remove the file`,
    );
  });

  it('is refused with the same words as a JPEG', async () => {
    const jpeg = Buffer.from(await encodeImage('a.jpg', painted));
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(65_500, frame + 5);
    jpeg.writeUInt16BE(65_500, frame + 7);
    await expect(decode(jpeg)).rejects.toThrow('expected at most 64 Mi pixels, got 65500 × 65500 pixels');
  });

  it('is refused for its number of scans, however small it is', async () => {
    const progressive = await sharp(noise, raw).jpeg({ progressive: true }).toBuffer();
    const { scans } = readHeader(progressive)!;
    expect(scans).toBeGreaterThan(1);
    expect(readHeader(withScans(progressive, 50))).toEqual({ width: 24, height: 16, scans: scans + 49 });
    await expect(decode(withScans(progressive, 200_000))).rejects.toThrow(
      `expected a JPEG of at most 100 scans, got ${scans + 199_999}; cats/a`,
    );
  });

  it('is refused for the size of its file, before it is read', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lockstep-image-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'a.png');
    writeFileSync(file, '');
    truncateSync(file, 2 ** 40);
    await expect(readImageFile(file)).rejects.toThrow('read image: expected at most 64 MiB, got 1048576 MiB; ');
  });
});

it('images being decoded have at most 64 Mi pixels together, and are admitted in their order', async () => {
  const budget = new PixelBudget();
  const [events, ends]: [string[], (() => void)[]] = [[], []];
  const enter = (name: string, pixels: number) =>
    budget.admit(pixels, async () => {
      events.push(name);
      await new Promise<void>((end) => ends.push(end));
    });
  const all = [enter('a', maxPixels - 1), enter('b', 1), enter('c', maxPixels), enter('d', 1)];
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  expect(events).toEqual(['a', 'b']);
  ends[0]!();
  await settled();
  expect(events).toEqual(['a', 'b']);
  ends[1]!();
  await settled();
  expect(events).toEqual(['a', 'b', 'c']);
  ends[2]!();
  await settled();
  expect(events).toEqual(['a', 'b', 'c', 'd']);
  ends[3]!();
  await Promise.all(all);
});

it.each(['svg', 'gif', 'webp', 'tiff', 'avif'] as const)('a whole %s is refused whatever its name', async (kind) => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><image href="file:///etc/passwd"/></svg>';
  const bytes = kind === 'svg' ? Buffer.from(svg) : await sharp(noise, raw).toFormat(kind).toBuffer();
  await expect(decode(bytes)).rejects.toThrow('expected a PNG or JPEG, got a');
});

describe('200 damaged images', () => {
  it.each([
    ['PNG', () => sharp(noise, raw).png().toBuffer()],
    ['interlaced PNG', () => sharp(noise, raw).png({ progressive: true, palette: true }).toBuffer()],
    ['JPEG', () => sharp(noise, raw).withMetadata({ orientation: 6 }).jpeg().toBuffer()],
    ['progressive JPEG', () => sharp(noise, raw).withIccProfile('p3').jpeg({ progressive: true }).toBuffer()],
  ])('each give an image or a message: %s', async (_, encoded) => {
    const original = await encoded();
    const random = xoroshiro128plus(7);
    const below = (limit: number) => uniformInt(random, 0, limit - 1);
    let images = 0;
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.from(original);
      for (let k = 0; k <= below(4); k++) bytes[below(bytes.length)] = below(256);
      const damaged = below(5) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
      const outcome = await within(
        decode(damaged).then(
          (pixels) => pixels.length,
          (error: Error) => error,
        ),
        'an image',
      );
      if (outcome === 48) images++;
      else
        expect(outcome).toMatchObject({
          code: 'BAD_DATA',
          message: expect.stringMatching(/^read image: expected .*; cats\/a; /) as string,
        });
    }
    expect(images).toBeLessThan(200);
  });
});

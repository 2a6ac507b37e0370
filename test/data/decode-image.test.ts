import { encode } from 'fast-png';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../data/decode-image.js';
import type { ImageFormat } from '../../job/image-format.js';
import { encodeImage, pixelsOf, type PaintedImage } from './image-files.js';

const format = (changes: Partial<ImageFormat> = {}): ImageFormat => ({
  height: 4,
  width: 4,
  channels: 3,
  fit: 'cover',
  ...changes,
});
const steps: PaintedImage = { width: 4, height: 4, paint: (x, y) => [x * 60, y * 60, 128] };
const halves: PaintedImage = { width: 8, height: 4, paint: (x) => (x < 4 ? [200, 0, 0] : [0, 0, 200]) };
const pixel = (data: Uint8Array, x: number, y: number, width = 4) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('an image file', () => {
  it('in the wanted size keeps every pixel of a PNG, and of a JPEG nearly', async () => {
    expect(await decodeImage(await encodeImage('a.png', steps), 'a.png', format())).toEqual(
      Buffer.from(pixelsOf(steps)),
    );
    const plain: PaintedImage = { width: 4, height: 4, paint: () => [30, 140, 220] };
    const decoded = await decodeImage(await encodeImage('a.jpg', plain), 'a.jpg', format());
    decoded.forEach((value, i) => expect(Math.abs(value - [30, 140, 220][i % 3]!)).toBeLessThanOrEqual(2));
  });

  it('of another shape is cut around the middle, gets borders, or is stretched', async () => {
    const png = await encodeImage('a.png', halves);
    const cover = await decodeImage(png, 'a.png', format());
    expect([pixel(cover, 0, 0), pixel(cover, 3, 3)]).toEqual([
      [200, 0, 0],
      [0, 0, 200],
    ]);
    const contain = await decodeImage(png, 'a.png', format({ height: 8, width: 8, fit: 'contain' }));
    expect([pixel(contain, 0, 0, 8), pixel(contain, 0, 4, 8)]).toEqual([
      [0, 0, 0],
      [200, 0, 0],
    ]);
    const fill = await decodeImage(png, 'a.png', format({ fit: 'fill' }));
    expect(pixel(fill, 0, 0)[0]).toBeGreaterThan(180);
    expect(fill.length).toBe(48);
  });

  it('of any depth, kind of colour and transparency becomes bytes of as many channels as wanted', async () => {
    const grey16 = encode({ width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(0x80ff, 0xffff) });
    const two = { height: 1, width: 2 };
    expect([...(await decodeImage(grey16, 'a.png', format(two)))]).toEqual([128, 128, 128, 255, 255, 255]);
    expect([...(await decodeImage(grey16, 'a.png', format({ ...two, channels: 1 })))]).toEqual([129, 255]);
    const clear = encode({ width: 2, height: 1, channels: 4, data: Uint8Array.of(9, 9, 9, 0, 10, 20, 30, 255) });
    expect([...(await decodeImage(clear, 'a.png', format(two)))]).toEqual([255, 255, 255, 10, 20, 30]);
    const palette = await sharp(pixelsOf(halves), { raw: { width: 8, height: 4, channels: 3 } })
      .png({ palette: true })
      .toBuffer();
    expect(pixel(await decodeImage(palette, 'a.png', format()), 3, 0)).toEqual([0, 0, 200]);
    const cmyk = await sharp(pixelsOf(halves), { raw: { width: 8, height: 4, channels: 3 } })
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    expect((await decodeImage(cmyk, 'a.jpg', format())).length).toBe(48);
  });

  it('is rotated by its EXIF orientation', async () => {
    const raw = sharp(pixelsOf(halves), { raw: { width: 8, height: 4, channels: 3 } });
    const turned = await raw.withMetadata({ orientation: 6 }).png().toBuffer();
    const upright = await decodeImage(turned, 'a.png', format({ height: 8, width: 4 }));
    expect([pixel(upright, 0, 0), pixel(upright, 0, 7)]).toEqual([
      [200, 0, 0],
      [0, 0, 200],
    ]);
  });

  it.each([
    ['a drawing that names other files', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'a file of another type'],
    ['nothing', '', 'an empty file'],
    ['a GIF', 'GIF89a…', 'a GIF'],
    ['a WebP', 'RIFF\n\0\0\0WEBPVP8 ', 'a WebP'],
    ['a TIFF', 'II*\0', 'a TIFF'],
    ['a page', '<!DOCTYPE html><p>404', 'an HTML page'],
    [
      'a pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0',
      'a Git LFS pointer (git lfs pull replaces it with the file)',
    ],
  ])('that is %s is refused by that name', async (_, content, found) => {
    const decoding = decodeImage(Buffer.from(content), 'cats/a.png', format());
    await expect(decoding).rejects.toThrow(
      `expected a PNG or JPEG, got ${found}; cats/a.png; replace or remove the file`,
    );
  });

  it('that is cut off is refused, not filled with grey', async () => {
    for (const name of ['a.jpg', 'a.png']) {
      const whole = await encodeImage(name, { width: 64, height: 64, paint: (x, y) => [x * y, x + y, x ^ y] });
      const cut = whole.subarray(0, whole.length / 2);
      await expect(decodeImage(cut, `cats/${name}`, format())).rejects.toMatchObject({ code: 'BAD_DATA' });
      await expect(decodeImage(cut, `cats/${name}`, format())).rejects.toThrow(`cats/${name}`);
    }
  });
});

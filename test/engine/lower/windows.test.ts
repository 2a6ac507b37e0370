import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pixelsOfWindows, type Windows, windowsOfPixels } from '../../../engine/lower/windows.js';

const plain: Windows = { kernel: [1, 2], pads: [0, 0, 0, 1], strides: [1, 1], dilations: [1, 1] };

describe('windows', () => {
  it('have their pixels, and one more number for the padding', () => {
    expect([...pixelsOfWindows(plain, [1, 3], [1, 3])]).toEqual([0, 1, 1, 2, 2, 3]);
    expect([...pixelsOfWindows({ ...plain, strides: [1, 2] }, [1, 3], [1, 2])]).toEqual([0, 1, 2, 3]);
    expect([...pixelsOfWindows({ ...plain, dilations: [1, 2] }, [1, 3], [1, 2])]).toEqual([0, 2, 1, 3]);
  });

  it('are found from a pixel, for each position in them', () => {
    expect([...windowsOfPixels(plain, [1, 3], [1, 3])]).toEqual([0, 3, 1, 0, 2, 1]);
    expect([...windowsOfPixels({ ...plain, strides: [1, 2] }, [1, 3], [1, 2])]).toEqual([0, 2, 2, 0, 1, 2]);
  });

  it('both ways are the same pairs of pixel and window', () => {
    const side = fc.integer({ min: 1, max: 6 });
    const few = fc.integer({ min: 1, max: 3 });
    const pad = fc.integer({ min: 0, max: 2 });
    const pair = (x: fc.Arbitrary<number>) => fc.tuple(x, x);
    fc.assert(
      fc.property(pair(side), pair(few), pair(few), pair(few), fc.tuple(pad, pad, pad, pad), (...drawn) => {
        const [image, kernel, strides, dilations, pads] = drawn;
        const windows = { kernel, strides, dilations, pads };
        const along = (i: 0 | 1) =>
          Math.max(
            1,
            Math.floor((image[i] + pads[i] + pads[i + 2]! - (kernel[i] - 1) * dilations[i] - 1) / strides[i]) + 1,
          );
        const output = [along(0), along(1)] as const;
        const taps = kernel[0] * kernel[1];
        const [pixels, places] = [image[0] * image[1], output[0] * output[1]];
        const forward = [...pixelsOfWindows(windows, image, output)]
          .map((pixel, i) => [pixel, Math.floor(i / taps), i % taps])
          .filter(([pixel]) => pixel! < pixels);
        const backward = [...windowsOfPixels(windows, image, output)]
          .map((place, i) => [Math.floor(i / taps), place, i % taps])
          .filter(([, place]) => place! < places);
        expect(backward.map(String).sort()).toEqual(forward.map(String).sort());
      }),
    );
  });
});

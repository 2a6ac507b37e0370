import type { NodeOf } from '../ir/node.js';
import { avgPoolGrad as repeatedShares, windowShares } from './average-pool.js';
import type { Lowering } from './lowering.js';
import { maskOf, maxPoolGrad as maskedGradient, tiles } from './pool.js';
import { asRows, gatherRows, pixelsOfWindows, poolWindows, sizeOfImage, windowsOfPixels } from './windows.js';

/** Value of positions outside the image: the lowest finite float. */
const lowest = -3.4028234663852886e38;

/**
 * Max-pool gradient for overlapping windows. dy goes to the first maximum of each window, and each pixel gathers from its
 * windows; a scatter would sum in any order on some devices.
 */
export function maxPoolGrad(lowering: Lowering, node: NodeOf<'maxPoolGrad'>): void {
  if (tiles(node.attrs, node.shape)) return maskedGradient(lowering, node);
  const { writer } = lowering;
  const [dy, x, y] = node.inputs;
  const windows = poolWindows(node.attrs);
  const [batch, height, width, channels] = node.shape as [number, number, number, number];
  const [places, taps] = [dy.shape[1]! * dy.shape[2]!, windows.kernel[0] * windows.kernel[1]];
  const perPlace = [batch, places, 1, channels];

  const rows = asRows(lowering, x);
  const indices = pixelsOfWindows(windows, sizeOfImage(x), sizeOfImage(dy));
  const gathered = gatherRows(lowering, rows.name, rows.shape, indices, lowest);
  const pixels = lowering.reshape(gathered, [batch, places, taps, channels]);
  const maxima = maskOf(lowering, pixels, lowering.reshape(lowering.get(y), perPlace));
  const codes = Float32Array.from({ length: taps }, (_, tap) => taps - tap);
  const coded = writer.op('Mul', [maxima, writer.constant(codes, [taps, 1])]);
  const first = maskOf(lowering, coded, writer.op('ReduceMax', [coded], { axes: [2], keepdims: 1 }));
  const given = writer.op('Mul', [first, lowering.reshape(lowering.get(dy), perPlace)]);

  const places2d = windowsOfPixels(windows, sizeOfImage(x), sizeOfImage(dy));
  const sources = places2d.map((place, i) => place * taps + (place === places ? 0 : i % taps));
  const shape = [batch, places * taps, channels];
  const parts = gatherRows(lowering, lowering.reshape(given, shape), shape, sources);
  lowering.define(node, sumOfTaps(lowering, parts, [batch, height * width, taps, channels], node.shape));
}

/** Average-pool gradient for overlapping windows. */
export function avgPoolGrad(lowering: Lowering, node: NodeOf<'avgPoolGrad'>): void {
  if (tiles(node.attrs, node.shape)) return repeatedShares(lowering, node);
  const [dy] = node.inputs;
  const windows = poolWindows(node.attrs);
  const [batch, height, width, channels] = node.shape as [number, number, number, number];
  const { name, shape } = asRows(lowering, dy);
  const shares = lowering.writer.constant(windowShares(node.attrs, node.shape, dy.shape), [shape[1]!, 1]);
  const indices = windowsOfPixels(windows, sizeOfImage(node), sizeOfImage(dy));
  const parts = gatherRows(lowering, lowering.writer.op('Mul', [name, shares]), shape, indices);
  const taps = windows.kernel[0] * windows.kernel[1];
  lowering.define(node, sumOfTaps(lowering, parts, [batch, height * width, taps, channels], node.shape));
}

function sumOfTaps(lowering: Lowering, name: string, parts: readonly number[], shape: readonly number[]): string {
  const { writer } = lowering;
  const sums = writer.op('ReduceSum', [lowering.reshape(name, parts), writer.ints([2])], { keepdims: 0 });
  return lowering.reshape(sums, shape);
}

import type { ConvAttrs, Node, PoolAttrs } from '../ir/node.js';
import type { Shape } from '../ir/shape.js';
import type { Lowering } from './lowering.js';

/** Geometry of the windows of a convolution or pooling. */
export interface Windows {
  readonly kernel: readonly [number, number];
  readonly pads: ConvAttrs['pads'];
  readonly strides: ConvAttrs['strides'];
  readonly dilations: ConvAttrs['dilations'];
}

type Size = readonly [number, number];

/** @param filter - its shape, `[kh, kw, …]`. */
export function convWindows(filter: Shape, attrs: ConvAttrs): Windows {
  return { ...attrs, kernel: [filter[0]!, filter[1]!] };
}

export function poolWindows({ window, pads, strides }: PoolAttrs): Windows {
  return { kernel: window, pads, strides, dilations: [1, 1] };
}

/**
 * Pixel of the image `[H · W]` for every output position and every position in its window, `[Ho · Wo · kh · kw]`; H · W
 * for positions outside of the image.
 */
export function pixelsOfWindows(windows: Windows, image: Size, output: Size): Int32Array {
  return places(output, windows.kernel, ([row, column], tap) => {
    const y = row * windows.strides[0] - windows.pads[0] + tap[0] * windows.dilations[0];
    const x = column * windows.strides[1] - windows.pads[1] + tap[1] * windows.dilations[1];
    return inside(y, x, image) ? y * image[1] + x : image[0] * image[1];
  });
}

/**
 * Inverse: for every pixel and every position in a window, the output position whose window has the pixel there,
 * `[H · W · kh · kw]`; Ho · Wo if there is none.
 */
export function windowsOfPixels(windows: Windows, image: Size, output: Size): Int32Array {
  return places(image, windows.kernel, ([y, x], tap) => {
    const row = (y + windows.pads[0] - tap[0] * windows.dilations[0]) / windows.strides[0];
    const column = (x + windows.pads[1] - tap[1] * windows.dilations[1]) / windows.strides[1];
    const isThere = Number.isInteger(row) && Number.isInteger(column) && inside(row, column, output);
    return isThere ? row * output[1] + column : output[0] * output[1];
  });
}

function places(size: Size, kernel: Size, index: (place: Size, tap: Size) => number): Int32Array {
  const taps = kernel[0] * kernel[1];
  return Int32Array.from({ length: size[0] * size[1] * taps }, (_, i) => {
    const [place, tap] = [Math.floor(i / taps), i % taps];
    return index([Math.floor(place / size[1]), place % size[1]], [Math.floor(tap / kernel[1]), tap % kernel[1]]);
  });
}

function inside(row: number, column: number, [rows, columns]: Size): boolean {
  return row >= 0 && row < rows && column >= 0 && column < columns;
}

/**
 * Gathers rows of a tensor `[N, rows, …]` by index, `[N, indices, …]`, with one operator. The index `rows` selects a row
 * of `outside`.
 */
export function gatherRows(
  lowering: Lowering,
  name: string,
  shape: readonly number[],
  indices: Int32Array,
  outside = 0,
): string {
  const { writer } = lowering;
  const rows = shape[1]!;
  if (indices.length === rows && indices.every((row, i) => row === i)) return name;
  const padding = [...shape.map(() => 0), 0, 1, ...shape.slice(2).map(() => 0)];
  const padded = indices.includes(rows) ? writer.op('Pad', [name, writer.ints(padding), writer.float(outside)]) : name;
  return writer.op('Gather', [padded, writer.constant(indices, [indices.length])], { axis: 1 });
}

/** An image `[N, H, W, C]` as `[N, H · W, C]`. */
export function asRows(lowering: Lowering, node: Node): { readonly name: string; readonly shape: readonly number[] } {
  const [batch, height, width, channels] = node.shape as [number, number, number, number];
  const shape = [batch, height * width, channels];
  return { name: lowering.memo(`rows${node.id}`, () => lowering.reshape(lowering.get(node), shape)), shape };
}

export function sizeOfImage({ shape }: Node): Size {
  return [shape[1]!, shape[2]!];
}

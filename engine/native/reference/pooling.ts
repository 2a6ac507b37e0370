import type { Node, NodeOf, PoolAttrs } from '../../ir/node.js';
import type { Values } from './tensor.js';

/** Elements inside the image of each window, in row-major order, for every element of the pooled tensor `[N, H, W, C]`. */
function windowsOf({ window, strides, pads }: PoolAttrs, { shape }: Node, pooled: Node): number[][] {
  const [, height, width, channels] = shape as [number, number, number, number];
  const [, outHeight, outWidth] = pooled.shape as [number, number, number];
  return Array.from({ length: pooled.size }, (_, i) => {
    const [c, column] = [i % channels, Math.floor(i / channels) % outWidth];
    const row = Math.floor(i / channels / outWidth);
    const image = Math.floor(row / outHeight) * height;
    const [top, left] = [(row % outHeight) * strides[0] - pads[0], column * strides[1] - pads[1]];
    const elements: number[] = [];
    for (let y = Math.max(top, 0); y < Math.min(top + window[0], height); y++)
      for (let x = Math.max(left, 0); x < Math.min(left + window[1], width); x++)
        elements.push(((image + y) * width + x) * channels + c);
    return elements;
  });
}

/** The largest element; the first of equal ones. */
export function maxPool(node: NodeOf<'maxPool'>, x: Values): Values {
  const windows = windowsOf(node.attrs, node.inputs[0], node);
  const larger = (best: number, z: number) => (z > best || Number.isNaN(z) ? z : best);
  return new Float32Array(node.size).map((_, i) => windows[i]!.reduce((best, at) => larger(best, x[at]!), -Infinity));
}

/** Adds dy to the first element of its window that equals the maximum, window by window. */
export function maxPoolGrad(node: NodeOf<'maxPoolGrad'>, dy: Values, x: Values, y: Values): Values {
  const dx = new Float32Array(node.size);
  windowsOf(node.attrs, node, node.inputs[0]).forEach((window, i) => {
    const isMaximum = (at: number) => x[at] === y[i] || (Number.isNaN(x[at]) && Number.isNaN(y[i]));
    const first = window.find(isMaximum);
    if (first !== undefined) dx[first]! += dy[i]!;
  });
  return dx;
}

/** Sum from +0 over the window's elements inside the image, divided by their number. */
export function avgPool(node: NodeOf<'avgPool'>, x: Values): Values {
  const windows = windowsOf(node.attrs, node.inputs[0], node);
  return new Float32Array(node.size).map((_, i) => {
    return windows[i]!.reduce((sum, at) => Math.fround(sum + x[at]!), 0) / windows[i]!.length;
  });
}

/** Adds dy, divided by the number of its window's elements inside the image, to each of them, window by window. */
export function avgPoolGrad(node: NodeOf<'avgPoolGrad'>, dy: Values): Values {
  const dx = new Float32Array(node.size);
  windowsOf(node.attrs, node, node.inputs[0]).forEach((window, i) => {
    const share = Math.fround(dy[i]! / window.length);
    for (const at of window) dx[at]! += share;
  });
  return dx;
}

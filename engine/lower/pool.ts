import { elementType } from '../emit/onnx-writer.js';
import type { NodeOf, PoolAttrs } from '../ir/node.js';
import type { Shape } from '../ir/shape.js';
import { channelsFirst } from './layout.js';
import type { Lowering } from './lowering.js';

export function poolAttributes({ window, strides, pads }: PoolAttrs) {
  return { kernel_shape: window, strides, pads };
}

export function maxPool(lowering: Lowering, node: NodeOf<'maxPool'>): void {
  const x = lowering.get(node.inputs[0], channelsFirst);
  lowering.define(node, lowering.writer.op('MaxPool', [x], poolAttributes(node.attrs)), channelsFirst);
}

export function maxPoolGrad(lowering: Lowering, node: NodeOf<'maxPoolGrad'>): void {
  if (tiles(node.attrs, node.shape)) return maskedGradient(lowering, node);
  scatteredGradient(lowering, node);
}

/** True if the windows cover an input `[N, H, W, C]` exactly and without overlap. */
export function tiles({ window, strides, pads }: PoolAttrs, x: Shape): boolean {
  const fits = (i: 0 | 1) => window[i] === strides[i] && x[i + 1]! % window[i] === 0;
  return fits(0) && fits(1) && pads.every((rows) => rows === 0);
}

/**
 * dy repeated over each window, times a mask of the window's first maximum.
 *
 * Several elements may equal the maximum, for example in uniform areas of an image. Each has a code that decreases along
 * the window; the largest code wins. This is faster than a MaxPool with indices.
 */
function maskedGradient(lowering: Lowering, node: NodeOf<'maxPoolGrad'>): void {
  const { writer } = lowering;
  const [dy, x, y] = node.inputs;
  const { window } = node.attrs;
  const repeated = repeat(lowering, lowering.get(y, channelsFirst), window);
  const maxima = maskOf(lowering, lowering.get(x, channelsFirst), repeated);
  const coded = writer.op('Mul', [maxima, codes(lowering, node.shape, window)]);
  const largest = writer.op('MaxPool', [coded], { kernel_shape: window, strides: window });
  const first = maskOf(lowering, coded, repeat(lowering, largest, window));
  const spread = repeat(lowering, lowering.get(dy, channelsFirst), window);
  lowering.define(node, writer.op('Mul', [first, spread]), channelsFirst);
}

/** 1 where a equals b, else 0. */
export function maskOf(lowering: Lowering, a: string, b: string): string {
  return lowering.writer.op('Cast', [lowering.writer.op('Equal', [a, b])], { to: elementType.float32 });
}

/** Every element of `[N, C, H, W]` repeated over a window. */
export function repeat(lowering: Lowering, name: string, [rows, columns]: readonly [number, number]): string {
  const scales = lowering.writer.constant(Float32Array.of(1, 1, rows, columns), [4]);
  return lowering.writer.op('Resize', [name, '', scales], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
}

/** `[H, W · repeats]`: in each window rows·columns, …, 2, 1 in row-major order, each repeated `repeats` times. */
function codes(
  lowering: Lowering,
  [, height, width]: Shape,
  [rows, columns]: readonly [number, number],
  repeats = 1,
): string {
  const length = width! * repeats;
  return lowering.memo(`codes${height},${length},${rows},${columns}`, () => {
    const code = Float32Array.from({ length: height! * length }, (_, i) => {
      const [row, column] = [Math.floor(i / length) % rows, Math.floor((i % length) / repeats) % columns];
      return rows * columns - row * columns - column;
    });
    return lowering.writer.constant(code, [height!, length]);
  });
}

/** Gradient for windows that overlap or don't cover the input: adds dy at the indices of the maxima. */
function scatteredGradient(lowering: Lowering, node: NodeOf<'maxPoolGrad'>): void {
  const { writer } = lowering;
  const [dy, x] = node.inputs;
  const [batch, height, width, channels] = node.shape as [number, number, number, number];
  const indices = writer.secondOf('MaxPool', [lowering.get(x, channelsFirst)], poolAttributes(node.attrs));
  const flatten = (name: string) => lowering.reshape(name, [-1]);
  const zeros = writer.op('ConstantOfShape', [writer.ints([node.size])]);
  const inputs = [zeros, flatten(indices), flatten(lowering.get(dy, channelsFirst))];
  const sums = writer.op('ScatterElements', inputs, { axis: 0, reduction: 'add' });
  lowering.define(node, lowering.reshape(sums, [batch, channels, height, width]), channelsFirst);
}

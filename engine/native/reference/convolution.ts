import type { ConvAttrs, Node, NodeOf } from '../../ir/node.js';
import { fma } from './fma.js';
import { addition, imageGroup, inGroups, ofElements } from './sums.js';
import type { Values } from './tensor.js';

/** Channels that a chain takes before it goes on to the next tap. */
const block = 16;
/** Output pixels of a chain of a filter's gradient, in whole rows. */
const chainPixels = 128;
/** Images whose chains are added in f32. */
const chunk = 4;

/** A pixel of the image that is read, and the position in the filter that it is multiplied with. */
interface Tap {
  readonly pixel: number;
  readonly position: number;
}
type Size = readonly [number, number];

function sizeOfImage({ shape }: Node): Size {
  return [shape[1]!, shape[2]!];
}

/** Input coordinate along one dimension. */
function inputAt({ strides, pads, dilations }: ConvAttrs, i: 0 | 1, output: number, tap: number): number {
  return output * strides[i] - pads[i] + tap * dilations[i];
}

/** For each output pixel its taps inside the image, by row and column of the filter. */
function tapsOf(attrs: ConvAttrs, [kh, kw]: readonly number[], image: Size, output: Size): Tap[][] {
  return grid(output).map(([row, column]) =>
    grid([kh!, kw!]).flatMap(([ky, kx]) => {
      const [y, x] = [inputAt(attrs, 0, row, ky), inputAt(attrs, 1, column, kx)];
      const isInside = y >= 0 && y < image[0] && x >= 0 && x < image[1];
      return isInside ? [{ pixel: y * image[1] + x, position: ky * kw! + kx }] : [];
    }),
  );
}

/** For each input pixel the output pixels that read it, by row and column, with the position that they read it at. */
function readersOf(attrs: ConvAttrs, filter: readonly number[], image: Size, output: Size): Tap[][] {
  const readers = grid(image).map((): Tap[] => []);
  tapsOf(attrs, filter, image, output).forEach((taps, pixel) => {
    for (const tap of taps) readers[tap.pixel]!.push({ pixel, position: tap.position });
  });
  return readers;
}

function grid([rows, columns]: Size): Size[] {
  return Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns]);
}

/** y[pixel][co] = Σ x[pixel'][ci] · filter(position, ci, co), by block of input channels, tap, channel. */
function correlate(
  x: Values,
  { pixels, channels }: { readonly pixels: number; readonly channels: number },
  taps: readonly Tap[][],
  node: Node,
  filter: (position: number, ci: number, co: number) => number,
): Values {
  const outputs = node.shape[3]!;
  return new Float32Array(node.size).map((_, i) => {
    const [co, at] = [i % outputs, Math.floor(i / outputs)];
    const image = Math.floor(at / taps.length) * pixels;
    let chain = 0;
    for (let first = 0; first < channels; first += block)
      for (const { pixel, position } of taps[at % taps.length]!)
        for (let ci = first; ci < Math.min(first + block, channels); ci++)
          chain = fma(x[(image + pixel) * channels + ci]!, filter(position, ci, co), chain);
    return chain;
  });
}

export function conv(node: NodeOf<'conv'>, x: Values, filter: Values): Values {
  const [input, { shape }] = node.inputs;
  const [, , ci, co] = shape as [number, number, number, number];
  const [image, output] = [sizeOfImage(input), sizeOfImage(node)];
  const taps = tapsOf(node.attrs, shape, image, output);
  const size = { pixels: image[0] * image[1], channels: ci };
  return correlate(x, size, taps, node, (position, i, o) => filter[(position * ci + i) * co + o]!);
}

export function convInput(node: NodeOf<'convInput'>, dy: Values, filter: Values): Values {
  const [output, { shape }] = node.inputs;
  const [, , ci, co] = shape as [number, number, number, number];
  const [image, read] = [sizeOfImage(node), sizeOfImage(output)];
  const taps = readersOf(node.attrs, shape, image, read);
  const size = { pixels: read[0] * read[1], channels: co };
  return correlate(dy, size, taps, node, (position, o, i) => filter[(position * ci + i) * co + o]!);
}

/** Each channel c has filters j of its own; their results are channels c · m + j. */
export function depthwise(node: NodeOf<'depthwise'>, x: Values, filter: Values): Values {
  const [input, { shape }] = node.inputs;
  const [channels, multiplier] = shape.slice(2) as [number, number];
  const image = sizeOfImage(input);
  const taps = tapsOf(node.attrs, shape, image, sizeOfImage(node));
  return new Float32Array(node.size).map((_, i) => {
    const [to, at] = [i % (channels * multiplier), Math.floor(i / channels / multiplier)];
    const first = Math.floor(at / taps.length) * image[0] * image[1];
    return taps[at % taps.length]!.reduce((chain, { pixel, position }) => {
      const value = x[(first + pixel) * channels + Math.floor(to / multiplier)]!;
      return fma(value, filter[position * channels * multiplier + to]!, chain);
    }, 0);
  });
}

/** A chain for each filter of a channel; several chains are added like elements of a last axis. */
export function depthwiseInput(node: NodeOf<'depthwiseInput'>, dy: Values, filter: Values): Values {
  const [output, { shape }] = node.inputs;
  const [channels, multiplier] = shape.slice(2) as [number, number];
  const [image, read] = [sizeOfImage(node), sizeOfImage(output)];
  const taps = readersOf(node.attrs, shape, image, read);
  return new Float32Array(node.size).map((_, i) => {
    const [c, at] = [i % channels, Math.floor(i / channels)];
    const first = Math.floor(at / taps.length) * read[0] * read[1];
    const chains = Float32Array.from({ length: multiplier }, (__, j) =>
      taps[at % taps.length]!.reduce((chain, { pixel, position }) => {
        const from = c * multiplier + j;
        const factor = filter[position * channels * multiplier + from]!;
        return fma(dy[(first + pixel) * channels * multiplier + from]!, factor, chain);
      }, 0),
    );
    return multiplier === 1 ? chains[0]! : ofElements(chains, 16, addition);
  });
}

/** Gradient of a filter `[kh, kw, ci, co]`, or of a depthwise one `[kh, kw, c, m]`. */
export function filterGradient(node: NodeOf<'convFilter' | 'depthwiseFilter'>, x: Values, dy: Values): Values {
  const [input, output] = node.inputs;
  const [image, read] = [sizeOfImage(input), sizeOfImage(output)];
  const [, , ci, co] = node.shape as [number, number, number, number];
  const [inputs, outputs] = [input.shape[3]!, output.shape[3]!];
  const taps = tapsOf(node.attrs, node.shape, image, read);
  const pairs = grid([node.shape[0]!, node.shape[1]!]).map((_, position) =>
    taps.flatMap((some, to) =>
      some.filter((tap) => tap.position === position).map(({ pixel }) => ({ from: pixel, to })),
    ),
  );
  const groupSize = Math.max(1, Math.floor(chainPixels / read[1])) * read[1];
  return new Float32Array(node.size).map((_, i) => {
    const [o, c, position] = [i % co, Math.floor(i / co) % ci, Math.floor(i / co / ci)];
    const dyChannel = node.op === 'convFilter' ? o : c * co + o;
    const chains = (n: number) => {
      const groups = new Float32Array(Math.ceil((read[0] * read[1]) / groupSize));
      for (const { from, to } of pairs[position]!) {
        const value = x[(n * image[0] * image[1] + from) * inputs + c]!;
        const group = Math.floor(to / groupSize);
        groups[group] = fma(value, dy[(n * read[0] * read[1] + to) * outputs + dyChannel]!, groups[group]!);
      }
      return groups;
    };
    return inGroups(chunkSums(input.shape[0]!, chains), imageGroup / chunk, addition);
  });
}

/** For each chunk of images the f32 sum of their groups, in order. */
function chunkSums(images: number, groupsOf: (image: number) => Float32Array): Float32Array {
  const sums = new Float32Array(Math.ceil(images / chunk));
  for (let n = 0; n < images; n++) for (const group of groupsOf(n)) sums[Math.floor(n / chunk)]! += group;
  return sums;
}

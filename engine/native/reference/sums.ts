import { fma } from './fma.js';

/** The fixed stages of sums and products: chains within segments, segments, images in groups. */

/** Elements of a segment. */
const segment = 256;
/** Images of a group. */
export const imageGroup = 32;

/** An operation with its neutral element. */
export interface Combine {
  readonly start: number;
  readonly of: (a: number, b: number) => number;
}
export const addition: Combine = { start: 0, of: (a, b) => a + b };
export const multiplication: Combine = { start: 1, of: (a, b) => a * b };

/**
 * Sum or product of an image's elements in f32. In each segment, chain j takes the elements whose index modulo the number
 * of chains is j, in order; the chains are combined in a tree, then the segments in order.
 */
export function ofElements(elements: Float32Array, chains: 4 | 16, { start, of }: Combine): number {
  return segmented(elements, chains, { start, of }, (chain, x) => Math.fround(of(chain, x)));
}

/** Sum of (x − mean)² in the same stages; each square is added with one rounding. */
function squaresAbout(mean: number, elements: Float32Array): number {
  return segmented(elements, 4, addition, (chain, x) => {
    const d = Math.fround(x - mean);
    return fma(d, d, chain);
  });
}

function segmented(
  elements: Float32Array,
  count: 4 | 16,
  { start, of }: Combine,
  take: (chain: number, x: number) => number,
): number {
  let total = start;
  for (let first = 0; first < elements.length; first += segment) {
    const chains = Array<number>(count).fill(start);
    elements.subarray(first, first + segment).forEach((x, i) => (chains[i % count] = take(chains[i % count]!, x)));
    total = Math.fround(of(total, tree(chains, of)));
  }
  return total;
}

/** Four chains: (c0 ∘ c1) ∘ (c2 ∘ c3). Sixteen: chains j and j + 8, then j and j + 4, j + 2, j + 1. */
function tree(chains: readonly number[], of: Combine['of']): number {
  const both = (a: number, b: number) => Math.fround(of(a, b));
  if (chains.length === 4) return both(both(chains[0]!, chains[1]!), both(chains[2]!, chains[3]!));
  let level = chains;
  while (level.length > 1) {
    const half = level.length / 2;
    level = level.slice(0, half).map((chain, j) => both(chain, level[j + half]!));
  }
  return level[0]!;
}

/** Sum or product of the images' values in double precision: groups in order, then their results in order. */
export function inGroups(values: ArrayLike<number>, group: number, { start, of }: Combine): number {
  let total = start;
  for (let first = 0; first < values.length; first += group) {
    let part = start;
    for (let i = first; i < Math.min(first + group, values.length); i++) part = of(part, values[i]!);
    total = of(total, part);
  }
  return total;
}

/** Sum of (x − mean)² over images of equally many elements: each about its own mean, then about the common one. */
export function spreadOf(images: readonly Float32Array[]): number {
  const count = images[0]!.length;
  const sums = images.map((image) => ofElements(image, 4, addition));
  const means = sums.map((sum) => Math.fround(sum / Math.fround(count)));
  const mean = inGroups(sums, imageGroup, addition) / (images.length * count);
  const squares = images.map((image, i) => {
    const d = means[i]! - mean;
    return squaresAbout(means[i]!, image) + count * (d * d);
  });
  return Math.fround(inGroups(squares, imageGroup, addition));
}

/** Dimensions of a tensor as TF.js sees it: images `[N, H, W, C]`, filters `[kh, kw, ci, co]`. */
export type Shape = readonly number[];

/** A shape as messages show it: `[2, 3]`. */
export function show(shape: readonly (number | null)[]): string {
  return `[${shape.join(', ')}]`;
}

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

export function sameShape(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** The shape without its leading ones, which broadcasting ignores: `[1, 1, 5]` becomes `[5]`. */
export function withoutLeadingOnes(shape: Shape): Shape {
  const first = shape.findIndex((dimension) => dimension !== 1);
  return first < 0 ? [] : shape.slice(first);
}

/** The shape with leading ones up to `rank` dimensions. */
export function toRank(shape: Shape, rank: number): Shape {
  return [...Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape];
}

/**
 * Shape of an elementwise result by NumPy's broadcasting rule.
 * @throws Error when the shapes do not fit; TF.js has checked them before.
 */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [toRank(a, rank), toRank(b, rank)];
  return left.map((x, i) => {
    const y = right[i]!;
    if (x !== y && x !== 1 && y !== 1)
      throw new Error(`broadcast: expected fitting shapes, got ${show(a)} and ${show(b)}`);
    return x === 1 ? y : x;
  });
}

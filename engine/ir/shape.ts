/** Dimensions of a tensor in TF.js's order: images `[N, H, W, C]`, filters `[kh, kw, ci, co]`. */
export type Shape = readonly number[];

/** Text of a shape: `[2, 3]`. */
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

/** Shape without leading ones, which broadcasting ignores: `[1, 1, 5]` becomes `[5]`. */
export function withoutLeadingOnes(shape: Shape): Shape {
  const first = shape.findIndex((dimension) => dimension !== 1);
  return first < 0 ? [] : shape.slice(first);
}

/** Shape with leading ones up to `rank` dimensions. */
export function toRank(shape: Shape, rank: number): Shape {
  return [...Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape];
}

/**
 * Shape of an elementwise result by NumPy's broadcasting rule.
 * @throws Error for incompatible shapes; TF.js checks them before.
 */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [toRank(a, rank), toRank(b, rank)];
  return left.map((x, i) => {
    const y = right[i]!;
    if (x !== y && x !== 1 && y !== 1)
      throw new Error(`broadcast: expected compatible shapes, got ${show(a)} and ${show(b)}`);
    return x === 1 ? y : x;
  });
}

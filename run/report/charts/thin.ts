/** A point of a curve. */
export type Point = [x: number, y: number];

/** A curve's points by column: x and y of each, in ascending x. */
export interface Curve {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/**
 * Thins a curve to at most two points in each of `columns` ranges of equal length: the least and the greatest, in the
 * curve's order, so that no peak is lost. A curve with no more points than that keeps them all.
 *
 * Omits points whose `y` is not finite. Takes x and y as separate arrays, because 100,000 pairs take more memory than
 * the rest of a report.
 */
export function thinCurve(x: ArrayLike<number>, y: ArrayLike<number>, columns: number): Point[] {
  const perColumn = Math.max(1, Math.ceil(y.length / columns));
  const kept: number[] = [];
  for (let first = 0; first < y.length; first += perColumn) {
    kept.push(...(perColumn <= 2 ? indices(first, perColumn) : extremes(y, first, first + perColumn)));
  }
  return kept.map((i): Point => [x[i] ?? NaN, y[i] ?? NaN]).filter(([, value]) => Number.isFinite(value));
}

function indices(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Indices of the least and the greatest finite value from `first` up to `end`, in order; empty if there is none. */
function extremes(y: ArrayLike<number>, first: number, end: number): number[] {
  let [least, greatest] = [-1, -1];
  for (let i = first; i < Math.min(end, y.length); i++) {
    const value = y[i] ?? NaN;
    if (!Number.isFinite(value)) continue;
    if (least < 0 || value < (y[least] ?? NaN)) least = i;
    if (greatest < 0 || value > (y[greatest] ?? NaN)) greatest = i;
  }
  if (least === greatest) return least < 0 ? [] : [least];
  return [Math.min(least, greatest), Math.max(least, greatest)];
}

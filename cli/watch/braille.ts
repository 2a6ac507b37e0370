/** A point to draw; `x` ascends. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface CurveText {
  /** One string per row, top first, each `width` characters. */
  readonly rows: readonly string[];
  /** Values of the top and bottom rows. */
  readonly top: number;
  readonly bottom: number;
}

/** Unicode bits of a braille character's dots, `[row][column]`. */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/**
 * Draws a curve as text. Each character is a braille pattern of 2 × 4 dots, so 80 columns show 160 points. Neighbouring
 * points are joined. The vertical axis spans the smallest to the largest value.
 */
export function drawCurve(points: readonly Point[], width: number, height: number): CurveText {
  const cells = Array.from({ length: height }, () => new Uint8Array(width));
  const ys = points.map(({ y }) => y);
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  const [first, last] = [points[0]?.x ?? 0, points.at(-1)?.x ?? 0];
  const column = scaleTo(first, last, 2 * width - 1);
  const row = scaleTo(top, bottom, 4 * height - 1);
  let before: { x: number; y: number } | undefined;
  for (const point of points) {
    const here = { x: column(point.x), y: row(point.y) };
    joinDots(before ?? here, here, (x, y) => (cells[y >> 2]![x >> 1]! |= dots[y & 3]![x & 1]!));
    before = here;
  }
  return { rows: cells.map(toText), top, bottom };
}

/** Maps `from`…`to` onto the integers 0…`greatest`; everything onto 0 if `from` equals `to`. */
function scaleTo(from: number, to: number, greatest: number): (value: number) => number {
  return (value) => (from === to ? 0 : Math.round(((value - from) / (to - from)) * greatest));
}

/** Sets all dots of a straight line, ends included. */
function joinDots(a: Dot, b: Dot, set: (x: number, y: number) => void): void {
  const steps = Math.max(1, Math.abs(b.x - a.x), Math.abs(b.y - a.y));
  for (let i = 0; i <= steps; i++) {
    const at = i / steps;
    set(Math.round(a.x + at * (b.x - a.x)), Math.round(a.y + at * (b.y - a.y)));
  }
}

interface Dot {
  readonly x: number;
  readonly y: number;
}

function toText(cells: Uint8Array): string {
  return String.fromCodePoint(...Array.from(cells, (bits) => 0x2800 + bits));
}

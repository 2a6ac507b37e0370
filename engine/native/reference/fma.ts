const double = new Float64Array(1);
/** The double's halves; the host is little-endian. */
const [low, high] = [0, 1];
const halves = new Uint32Array(double.buffer);

/**
 * a · b + c for f32 numbers, rounded once to f32.
 *
 * The product is exact in double precision. If the sum isn't, it is rounded to odd: of the two doubles next to the exact
 * sum, the one with an odd last bit. That bit tells the final rounding on which side of a tie the exact sum is
 * (S. Boldo, G. Melquiond: Emulation of FMA and correctly rounded sums, 2008).
 */
export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const error = errorOf(product, c, sum);
  return Math.fround(error === 0 || !Number.isFinite(sum) ? sum : toOdd(sum, error));
}

/** a + b − sum, exactly, for the rounded sum of finite numbers (Knuth's TwoSum). */
function errorOf(a: number, b: number, sum: number): number {
  const partOfB = sum - a;
  return a - (sum - partOfB) + (b - partOfB);
}

/** The odd neighbour of a rounded sum in the direction of its error; the sum itself if it is odd. */
function toOdd(sum: number, error: number): number {
  double[0] = sum;
  if ((halves[low]! & 1) === 1) return sum;
  if (error > 0 === sum > 0) halves[low]! += 1;
  else {
    if (halves[low] === 0) halves[high]! -= 1;
    halves[low]! -= 1;
  }
  return double[0];
}

/**
 * Replacements of `Math` functions whose last bit differs between JavaScript engines. They use only + − × ÷, which
 * IEEE 754 and ECMAScript define exactly.
 */

/** `base` to the power of an integer ≥ 0, by repeated squaring; relative error about `exponent` · 1e-16. */
export function integerPower(base: number, exponent: number): number {
  let result = 1;
  for (let rest = exponent, square = base; rest > 0; rest = Math.floor(rest / 2), square *= square) {
    if (rest % 2 === 1) result *= square;
  }
  return result;
}

/** Terms of the cosine series; the first omitted one is below 1e-17 for angles up to π/2. */
const cosineTerms = 11;

/**
 * cos(π · x) for x in [0, 1], to about 1e-15.
 *
 * Taylor series in Horner form, 1 − a²/(1·2) · (1 − a²/(3·4) · (…)), for the angle a = π · x up to π/2; larger angles
 * by cos(π − a) = −cos(a).
 */
export function cosinePi(x: number): number {
  if (x > 0.5) return -cosinePi(1 - x);
  const square = Math.PI * x * (Math.PI * x);
  let sum = 1;
  for (let k = 2 * cosineTerms; k > 0; k -= 2) sum = 1 - (sum * square) / ((k - 1) * k);
  return sum;
}

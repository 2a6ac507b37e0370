/** Steps that the lecture averages over for one point of its loss curve. */
export const lectureWindow = 10;

/**
 * Mean of every `window` neighbouring values; element `i` covers `values[i]` to `values[i + window - 1]`.
 *
 * The result has `values.length - window + 1` elements, so 10,210 steps give 10,201 with the lecture's window of 10;
 * with fewer values than the window it is empty. Each window is summed separately: a rolling sum would carry its
 * rounding errors from the large losses of the start into the small ones of the end.
 */
export function runningMean(values: ArrayLike<number>, window = lectureWindow): Float64Array {
  const means = new Float64Array(Math.max(0, values.length - window + 1));
  for (let first = 0; first < means.length; first++) {
    let sum = 0;
    for (let i = first; i < first + window; i++) sum += values[i] ?? 0;
    means[first] = sum / window;
  }
  return means;
}

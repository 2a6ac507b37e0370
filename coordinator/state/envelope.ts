/** Maximum number of a curve's buckets. When more are needed, their width doubles and their number halves. */
export const maxBuckets = 1024;

/** Steps per bucket when `step` is the last one: the smallest power of two for which all steps fit. */
export function bucketWidth(step: number): number {
  let width = 1;
  while (Math.floor(step / width) >= maxBuckets) width *= 2;
  return width;
}

/** A point of a thinned curve. */
export interface CurvePoint {
  /** Steps up to the last one that the point covers. */
  readonly step: number;
  /** Mean over those steps. */
  readonly value: number;
}

/**
 * A curve over steps in bounded memory. Each bucket of steps has its mean, and its minimum and maximum with their
 * positions, so that no peak is lost.
 *
 * Buckets begin at multiples of their width, which doubles when there would be too many. So the result depends on the
 * points alone, not on their time of arrival. While a bucket is one step wide, every point is kept.
 */
export class Envelope {
  /** Steps per bucket. */
  width = 1;
  /** Number of values per bucket, and their sum. */
  readonly #counts = new Float64Array(maxBuckets);
  readonly #sums = new Float64Array(maxBuckets);
  readonly #minimumAt = new Float64Array(maxBuckets);
  readonly #minimum = new Float64Array(maxBuckets);
  readonly #maximumAt = new Float64Array(maxBuckets);
  readonly #maximum = new Float64Array(maxBuckets);
  /** Buckets up to the last one in use. */
  #used = 0;
  /** Steps up to the last one with a value. */
  #steps = 0;

  /** Adds the value of a step; values that are not finite are ignored. */
  add(step: number, value: number): void {
    while (Math.floor(step / this.width) >= maxBuckets) this.#halve();
    if (!Number.isFinite(value)) return;
    const bucket = Math.floor(step / this.width);
    const isFirst = this.#isEmpty(bucket);
    this.#used = Math.max(this.#used, bucket + 1);
    this.#steps = step + 1;
    if (isFirst || value < this.#minimum[bucket]!) this.#setMinimum(bucket, step, value);
    if (isFirst || value > this.#maximum[bucket]!) this.#setMaximum(bucket, step, value);
    this.#counts[bucket]! += 1;
    this.#sums[bucket]! += value;
  }

  /** Points of all buckets from that of `step` on, in order: step, value, step, value, … */
  pointsFrom(step: number): number[] {
    const points: number[] = [];
    for (let bucket = Math.floor(step / this.width); bucket < this.#used; bucket++) {
      if (this.#isEmpty(bucket)) continue;
      const minimum = [this.#minimumAt[bucket]!, this.#minimum[bucket]!] as const;
      const maximum = [this.#maximumAt[bucket]!, this.#maximum[bucket]!] as const;
      if (minimum[0] === maximum[0]) points.push(...minimum);
      else points.push(...(minimum[0] < maximum[0] ? [...minimum, ...maximum] : [...maximum, ...minimum]));
    }
    return points;
  }

  /** The curve in at most `most` points, in order, each the mean of neighbouring buckets. */
  means(most: number): CurvePoint[] {
    const points: CurvePoint[] = [];
    const buckets = Math.max(1, Math.ceil(this.#used / most));
    for (let first = 0; first < this.#used; first += buckets) {
      const end = Math.min(first + buckets, this.#used);
      const count = sum(this.#counts.subarray(first, end));
      const step = Math.min(end * this.width, this.#steps);
      if (count > 0) points.push({ step, value: sum(this.#sums.subarray(first, end)) / count });
    }
    return points;
  }

  #isEmpty(bucket: number): boolean {
    return this.#counts[bucket] === 0;
  }

  #setMinimum(bucket: number, step: number, value: number): void {
    this.#minimumAt[bucket] = step;
    this.#minimum[bucket] = value;
  }

  #setMaximum(bucket: number, step: number, value: number): void {
    this.#maximumAt[bucket] = step;
    this.#maximum[bucket] = value;
  }

  /** Merges neighbouring buckets in pairs. */
  #halve(): void {
    for (let bucket = 0; bucket < maxBuckets; bucket++) this.#join(bucket, 2 * bucket);
    this.#used = Math.ceil(this.#used / 2);
    this.width *= 2;
  }

  /** Merges buckets `first` and `first + 1` into `bucket`, which is at most `first`. */
  #join(bucket: number, first: number): void {
    const from = [first, first + 1].filter((old) => old < this.#used && !this.#isEmpty(old));
    const minimum = from.reduce((a, b) => (a < 0 || this.#minimum[b]! < this.#minimum[a]! ? b : a), -1);
    const maximum = from.reduce((a, b) => (a < 0 || this.#maximum[b]! > this.#maximum[a]! ? b : a), -1);
    this.#counts[bucket] = sum(from.map((old) => this.#counts[old]!));
    this.#sums[bucket] = sum(from.map((old) => this.#sums[old]!));
    if (from.length === 0) return;
    this.#setMinimum(bucket, this.#minimumAt[minimum]!, this.#minimum[minimum]!);
    this.#setMaximum(bucket, this.#maximumAt[maximum]!, this.#maximum[maximum]!);
  }
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

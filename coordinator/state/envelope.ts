/** Buckets of a curve at most; between two doublings of their width there are half as many to all. */
export const maxBuckets = 1024;

/** Steps per bucket once `step` is the last one: the least power of two with which the run so far fits. */
export function bucketWidth(step: number): number {
  let width = 1;
  while (Math.floor(step / width) >= maxBuckets) width *= 2;
  return width;
}

/** A point of a thinned curve. */
export interface CurvePoint {
  /** Steps up to the last of those that the point stands for. */
  readonly step: number;
  /** Mean over those steps. */
  readonly value: number;
}

/**
 * A curve over steps in bounded memory: the mean of each bucket of steps, and the least and the greatest value and where
 * they were, so that no peak is lost. Buckets begin at multiples of their width, which doubles when there would be too many: what
 * is kept depends on the points alone, not on when they came. As long as a bucket is one step, every point is kept.
 */
export class Envelope {
  /** Steps per bucket. */
  width = 1;
  /** Values of each bucket: how many, and their sum. */
  readonly #counts = new Float64Array(maxBuckets);
  readonly #sums = new Float64Array(maxBuckets);
  readonly #leastAt = new Float64Array(maxBuckets);
  readonly #least = new Float64Array(maxBuckets);
  readonly #greatestAt = new Float64Array(maxBuckets);
  readonly #greatest = new Float64Array(maxBuckets);
  /** Buckets up to the last one in use. */
  #used = 0;
  /** Steps up to the last one that has a value. */
  #steps = 0;

  /** Adds the value of a step; what is not finite has no place on a curve. */
  add(step: number, value: number): void {
    while (Math.floor(step / this.width) >= maxBuckets) this.#halve();
    if (!Number.isFinite(value)) return;
    const bucket = Math.floor(step / this.width);
    const isFirst = this.#isEmpty(bucket);
    this.#used = Math.max(this.#used, bucket + 1);
    this.#steps = step + 1;
    if (isFirst || value < this.#least[bucket]!) this.#setLeast(bucket, step, value);
    if (isFirst || value > this.#greatest[bucket]!) this.#setGreatest(bucket, step, value);
    this.#counts[bucket]! += 1;
    this.#sums[bucket]! += value;
  }

  /** The points of all buckets that hold `step` or later ones, in order: step, value, step, value, … */
  pointsFrom(step: number): number[] {
    const points: number[] = [];
    for (let bucket = Math.floor(step / this.width); bucket < this.#used; bucket++) {
      if (this.#isEmpty(bucket)) continue;
      const least = [this.#leastAt[bucket]!, this.#least[bucket]!] as const;
      const greatest = [this.#greatestAt[bucket]!, this.#greatest[bucket]!] as const;
      if (least[0] === greatest[0]) points.push(...least);
      else points.push(...(least[0] < greatest[0] ? [...least, ...greatest] : [...greatest, ...least]));
    }
    return points;
  }

  /** The curve in `most` points or fewer, in order: means over as many neighbouring buckets as it takes. */
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

  #setLeast(bucket: number, step: number, value: number): void {
    this.#leastAt[bucket] = step;
    this.#least[bucket] = value;
  }

  #setGreatest(bucket: number, step: number, value: number): void {
    this.#greatestAt[bucket] = step;
    this.#greatest[bucket] = value;
  }

  /** Puts every two neighbours into one. */
  #halve(): void {
    for (let bucket = 0; bucket < maxBuckets; bucket++) this.#join(bucket, 2 * bucket);
    this.#used = Math.ceil(this.#used / 2);
    this.width *= 2;
  }

  /** Makes `bucket` of the two from `first` on, which stand behind it. */
  #join(bucket: number, first: number): void {
    const from = [first, first + 1].filter((old) => old < this.#used && !this.#isEmpty(old));
    const least = from.reduce((a, b) => (a < 0 || this.#least[b]! < this.#least[a]! ? b : a), -1);
    const greatest = from.reduce((a, b) => (a < 0 || this.#greatest[b]! > this.#greatest[a]! ? b : a), -1);
    this.#counts[bucket] = sum(from.map((old) => this.#counts[old]!));
    this.#sums[bucket] = sum(from.map((old) => this.#sums[old]!));
    if (from.length === 0) return;
    this.#setLeast(bucket, this.#leastAt[least]!, this.#least[least]!);
    this.#setGreatest(bucket, this.#greatestAt[greatest]!, this.#greatest[greatest]!);
  }
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

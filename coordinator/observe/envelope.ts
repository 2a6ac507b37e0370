/** Buckets of a curve at most; between two doublings of their width there are half as many to all. */
export const maxBuckets = 1024;

/** Steps per bucket once `step` is the last one: the least power of two with which the run so far fits. */
export function bucketWidth(step: number): number {
  let width = 1;
  while (Math.floor(step / width) >= maxBuckets) width *= 2;
  return width;
}

/**
 * A curve over steps in bounded memory: the least and the greatest value of each bucket of steps, and where they were,
 * so that no peak is lost. Buckets begin at multiples of their width, which doubles when there would be too many: what
 * is kept depends on the points alone, not on when they came. As long as a bucket is one step, every point is kept.
 */
export class Envelope {
  /** Steps per bucket. */
  width = 1;
  readonly #leastAt = new Float64Array(maxBuckets).fill(-1);
  readonly #least = new Float64Array(maxBuckets);
  readonly #greatestAt = new Float64Array(maxBuckets).fill(-1);
  readonly #greatest = new Float64Array(maxBuckets);
  /** Buckets up to the last one in use. */
  #used = 0;

  /** Adds the value of a step; what is not finite has no place on a curve. */
  add(step: number, value: number): void {
    while (Math.floor(step / this.width) >= maxBuckets) this.#halve();
    if (!Number.isFinite(value)) return;
    const bucket = Math.floor(step / this.width);
    this.#used = Math.max(this.#used, bucket + 1);
    if (this.#isEmpty(bucket) || value < this.#least[bucket]!) this.#setLeast(bucket, step, value);
    if (this.#greatestAt[bucket]! < 0 || value > this.#greatest[bucket]!) this.#setGreatest(bucket, step, value);
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

  #isEmpty(bucket: number): boolean {
    return this.#leastAt[bucket]! < 0;
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
    for (let bucket = 0; bucket < maxBuckets; bucket++) {
      const from = [2 * bucket, 2 * bucket + 1].filter((old) => old < this.#used && !this.#isEmpty(old));
      const least = from.reduce((a, b) => (a < 0 || this.#least[b]! < this.#least[a]! ? b : a), -1);
      const greatest = from.reduce((a, b) => (a < 0 || this.#greatest[b]! > this.#greatest[a]! ? b : a), -1);
      this.#setLeast(bucket, least < 0 ? -1 : this.#leastAt[least]!, least < 0 ? 0 : this.#least[least]!);
      const [at, value] = greatest < 0 ? [-1, 0] : [this.#greatestAt[greatest]!, this.#greatest[greatest]!];
      this.#setGreatest(bucket, at, value);
    }
    this.#used = Math.ceil(this.#used / 2);
    this.width *= 2;
  }
}

/** Means over about this many values. */
const smoothing = 50;

/** A mean that forgets: of all values at first, of about the last 50 later. */
export class RecentMean {
  mean = 0;
  #values = 0;

  add(value: number): number {
    this.#values = Math.min(this.#values + 1, smoothing);
    this.mean += (value - this.mean) / this.#values;
    return this.mean;
  }
}

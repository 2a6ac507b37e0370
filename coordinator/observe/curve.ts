/** A point of a thinned curve. */
export interface CurvePoint {
  /** Committed updates after the last step of those that the point stands for. */
  readonly step: number;
  /** Mean over those steps. */
  readonly value: number;
}

interface Bucket {
  step: number;
  sum: number;
  count: number;
}

/**
 * A curve of any length in bounded memory. Each point is the mean of some steps in a row; when the places are all
 * taken, neighbours are joined and every point stands for twice as many steps from then on.
 */
export class Curve {
  readonly #buckets: Bucket[] = [];
  #stepsPerPoint = 1;

  /** @param capacity - the most points; even, 2 or more. */
  constructor(private readonly capacity: number) {}

  /** @param step - index of the update; greater than those before. */
  add(step: number, value: number): void {
    const last = this.#buckets.at(-1);
    if (last && last.count < this.#stepsPerPoint) join(last, { step: step + 1, sum: value, count: 1 });
    else {
      if (this.#buckets.length === this.capacity) this.#halve();
      this.#buckets.push({ step: step + 1, sum: value, count: 1 });
    }
  }

  /** The curve in at most `most` points, ascending. */
  points(most = this.capacity): CurvePoint[] {
    const perPoint = Math.max(1, Math.ceil(this.#buckets.length / most));
    return joined(this.#buckets, perPoint).map(({ step, sum, count }) => ({ step, value: sum / count }));
  }

  #halve(): void {
    this.#buckets.splice(0, this.#buckets.length, ...joined(this.#buckets, 2));
    this.#stepsPerPoint *= 2;
  }
}

/** Every `size` neighbours as one; the last ones may be fewer. */
function joined(buckets: readonly Bucket[], size: number): Bucket[] {
  const result: Bucket[] = [];
  buckets.forEach((bucket, i) => {
    if (i % size === 0) result.push({ ...bucket });
    else join(result.at(-1)!, bucket);
  });
  return result;
}

function join(into: Bucket, next: Bucket): void {
  into.step = next.step;
  into.sum += next.sum;
  into.count += next.count;
}

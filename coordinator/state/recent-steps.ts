import type { StepRecord } from '../../run/records.js';

/** Number of steps over which displayed rates are averaged: time left, images per second. */
export const paceSteps = 50;

/** Means over consecutive steps. */
export interface StepMeans {
  readonly loss: number;
  /** Training accuracy over their samples, 0 to 1. */
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  readonly stepMs: number;
}

/** A run's last steps. */
export class RecentSteps {
  readonly #steps: StepRecord[] = [];

  /** @param most - number of steps kept. */
  constructor(private readonly most: number) {}

  add(record: StepRecord): void {
    this.#steps.push(record);
    if (this.#steps.length > this.most) this.#steps.shift();
  }

  get length(): number {
    return this.#steps.length;
  }

  get last(): StepRecord | undefined {
    return this.#steps.at(-1);
  }

  /** Means over the last `count` steps, or fewer at first; undefined before the first step. */
  means(count = this.most): StepMeans | undefined {
    const first = Math.max(0, this.#steps.length - count);
    const used = this.#steps.length - first;
    let [loss, correct, samples, durationMs] = [0, 0, 0, 0];
    for (let i = first; i < this.#steps.length; i++) {
      const record = this.#steps[i]!;
      loss += record.loss;
      correct += record.correct;
      samples += record.samples;
      durationMs += record.durationMs;
    }
    if (used === 0) return undefined;
    const imagesPerSecond = (1000 * samples) / durationMs;
    return { loss: loss / used, accuracy: correct / samples, imagesPerSecond, stepMs: durationMs / used };
  }

  /** Median step time, the upper one for an even number of steps; undefined before the first step. */
  get medianMs(): number | undefined {
    return this.#steps.map(({ durationMs }) => durationMs).sort((a, b) => a - b)[this.#steps.length >> 1];
  }
}

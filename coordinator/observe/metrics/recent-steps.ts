import type { StepRecord } from '../../records.js';

/** Steps that the mean loss is taken over, as in the lecture, and those for rates. */
const lossSteps = 10;
const rateSteps = 50;

/** Means over a run's last steps, in constant memory. */
export class RecentSteps {
  last: StepRecord | undefined;
  readonly #steps: StepRecord[] = [];

  add(record: StepRecord): void {
    this.last = record;
    this.#steps.push(record);
    if (this.#steps.length > rateSteps) this.#steps.shift();
  }

  /** Mean loss; undefined before the first step. */
  get loss(): number | undefined {
    const steps = this.#steps.slice(-lossSteps);
    return steps.length === 0 ? undefined : steps.reduce((sum, { loss }) => sum + loss, 0) / steps.length;
  }

  /** Training images per second of step time; undefined before the first step. */
  get rateSamplesPerSecond(): number | undefined {
    if (this.#steps.length === 0) return undefined;
    return this.#steps.reduce((sum, { samples }) => sum + samples, 0) / (this.#totalMs / 1e3);
  }

  /** How long `steps` more will take. */
  secondsFor(steps: number): number | undefined {
    return this.#steps.length === 0 ? undefined : (steps * this.#totalMs) / this.#steps.length / 1e3;
  }

  get #totalMs(): number {
    return this.#steps.reduce((sum, { durationMs }) => sum + durationMs, 0);
  }
}

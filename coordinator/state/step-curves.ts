import type { StepRecord } from '../../run/records.js';
import { lectureWindow } from '../../run/report/running-mean.js';
import { bucketWidth, type CurvePoint, Envelope } from './envelope.js';
import type { CurvePoints } from './feed.js';
import { RecentSteps, type StepMeans } from './recent-steps.js';

/** The curves of a run's steps, each value also as the lecture's 10-step running mean; in bounded memory. */
export class StepCurves {
  /** Steps up to the last one, so also the number of committed updates unless some were left out. */
  steps = 0;
  /** Of those steps. */
  samples = 0;
  /** The last steps, over which the lecture takes its means. */
  readonly recent = new RecentSteps(lectureWindow);
  readonly #loss = new Envelope();
  readonly #meanLoss = new Envelope();
  readonly #accuracy = new Envelope();
  readonly #meanAccuracy = new Envelope();
  readonly #learningRate = new Envelope();
  readonly #speed = new Envelope();

  add(record: StepRecord): void {
    const { step, loss, correct, samples, learningRate } = record;
    this.steps = step + 1;
    this.samples += samples;
    this.recent.add(record);
    this.#loss.add(step, loss);
    this.#accuracy.add(step, correct / samples);
    this.#learningRate.add(step, learningRate);
    this.#addMeans(step);
  }

  get last(): StepRecord | undefined {
    return this.recent.last;
  }

  /** Means of the lecture's window; undefined while there are too few steps for one. */
  get means(): StepMeans | undefined {
    return this.recent.length < lectureWindow ? undefined : this.recent.means();
  }

  /** The loss in `most` points or fewer, each the mean of some steps in a row. */
  losses(most: number): CurvePoint[] {
    return this.#loss.means(most);
  }

  /** What has changed since the update before `step`: everything from some step on, which replaces what was there. */
  since(step: number): CurvePoints {
    // Another width than the asker's: all of its buckets are old.
    const width = bucketWidth(Math.max(0, this.steps - 1));
    const isSame = step > 0 && bucketWidth(step - 1) === width;
    const from = isSame ? Math.floor(step / width) * width : 0;
    const points = (envelope: Envelope) => envelope.pointsFrom(from).map(short);
    return {
      from,
      loss: points(this.#loss),
      meanLoss: points(this.#meanLoss),
      accuracy: points(this.#accuracy),
      meanAccuracy: points(this.#meanAccuracy),
      learningRate: points(this.#learningRate),
      speed: points(this.#speed),
    };
  }

  #addMeans(step: number): void {
    const { means } = this;
    if (!means) return;
    this.#meanLoss.add(step, means.loss);
    this.#meanAccuracy.add(step, means.accuracy);
    this.#speed.add(step, means.imagesPerSecond);
  }
}

/** Six digits: more than a screen has pixels. Steps below a million keep all of theirs. */
function short(value: number, index: number): number {
  return index % 2 === 0 ? value : Number(value.toPrecision(6));
}

import type { StepRecord } from '../../run/records.js';
import { lectureWindow } from '../../run/report/running-mean.js';
import { bucketWidth, type CurvePoint, Envelope } from './envelope.js';
import type { CurvePoints } from './feed.js';
import { RecentSteps, type StepMeans } from './recent-steps.js';

/** Curves of a run's steps and their 10-step running means (the lecture's), in bounded memory. */
export class StepCurves {
  /** Steps up to the last one; the number of committed updates unless some were skipped. */
  steps = 0;
  /** Samples of those steps. */
  samples = 0;
  /** The last steps: the window of the running means. */
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

  /** Means over the window; undefined until it is full. */
  get means(): StepMeans | undefined {
    return this.recent.length < lectureWindow ? undefined : this.recent.means();
  }

  /** The loss in at most `most` points, each the mean of consecutive steps. */
  losses(most: number): CurvePoint[] {
    return this.#loss.means(most);
  }

  /** Changes since the update before `step`: all points from some step on, which replace the client's. */
  since(step: number): CurvePoints {
    // If the width has changed since then, all of the client's buckets are outdated.
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

/** Rounds values to six digits, enough for any screen; steps stay exact. */
function short(value: number, index: number): number {
  return index % 2 === 0 ? value : Number(value.toPrecision(6));
}

import type { StepRecord } from '../records.js';
import { lectureWindow } from '../report/running-mean.js';
import { bucketWidth, Envelope } from './envelope.js';
import type { CurvePoints } from './feed.js';
import { RecentMean } from './recent-mean.js';

/** The curves of a run's steps, each value also as the lecture's 10-step running mean; in bounded memory. */
export class StepCurves {
  /** Steps up to the last one, so also the number of committed updates unless some were left out. */
  steps = 0;
  last: StepRecord | undefined;
  readonly stepMs = new RecentMean();
  readonly #loss = new Envelope();
  readonly #meanLoss = new Envelope();
  readonly #accuracy = new Envelope();
  readonly #meanAccuracy = new Envelope();
  readonly #learningRate = new Envelope();
  readonly #speed = new Envelope();
  /** The last steps of the running mean. */
  readonly #window: StepRecord[] = [];

  add(record: StepRecord): void {
    const { step, loss, correct, samples, learningRate } = record;
    this.last = record;
    this.steps = step + 1;
    this.stepMs.add(record.durationMs);
    this.#loss.add(step, loss);
    this.#accuracy.add(step, correct / samples);
    this.#learningRate.add(step, learningRate);
    this.#addMeans(record);
  }

  /** Means of the last steps; undefined while there are not enough. */
  get means(): { readonly loss: number; readonly accuracy: number; readonly imagesPerSecond: number } | undefined {
    return this.#window.length < lectureWindow ? undefined : meansOf(this.#window);
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

  #addMeans(record: StepRecord): void {
    this.#window.push(record);
    if (this.#window.length > lectureWindow) this.#window.shift();
    if (this.#window.length < lectureWindow) return;
    const { loss, accuracy, imagesPerSecond } = meansOf(this.#window);
    this.#meanLoss.add(record.step, loss);
    this.#meanAccuracy.add(record.step, accuracy);
    this.#speed.add(record.step, imagesPerSecond);
  }
}

function meansOf(window: readonly StepRecord[]) {
  let [loss, correct, samples, durationMs] = [0, 0, 0, 0];
  for (const record of window) {
    loss += record.loss;
    correct += record.correct;
    samples += record.samples;
    durationMs += record.durationMs;
  }
  return { loss: loss / window.length, accuracy: correct / samples, imagesPerSecond: (1000 * samples) / durationMs };
}

/** Six digits: more than a screen has pixels. Steps below a million keep all of theirs. */
function short(value: number, index: number): number {
  return index % 2 === 0 ? value : Number(value.toPrecision(6));
}

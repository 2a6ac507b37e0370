import type { StatusReply } from '../../proto/messages.js';
import type { RunView, TrafficCounts } from '../../coordinator/state/run-view.js';
import { lectureWindow } from '../../run/report/running-mean.js';
import type { RunHistory } from '../../coordinator/state/history.js';
import { paceSteps, type RecentSteps } from '../../coordinator/state/recent-steps.js';
import type { Instruments } from './instruments.js';
import type { MetricsMemory } from './record-event.js';

/** Digits of a digest that distinguish runs. */
const digestDigits = 12;

/** States of a worker; those without workers show 0. */
const workerStates = ['compiling', 'standby', 'idle', 'receiving', 'computing', 'sending', 'late'];

/** Sets the constant metrics of a run, once it is prepared. */
export function describeRun({ manifest, term, history }: RunView, to: Instruments): void {
  const { spec, dataset, digest } = manifest;
  const { title, synthetic, imageShape, trainSamples, testSamples } = dataset;
  const bytesPerImage = 1 + imageShape.reduce((a, b) => a * b);
  to.dataset.set((trainSamples + testSamples) * bytesPerImage);
  const run = { job: spec.name, model: String(spec.model), dataset: title, synthetic: String(synthetic) };
  to.run.set({ ...run, digest: digest.slice(0, digestDigits), term: String(term) }, 1);
  const test = history.evaluation;
  if (!test) return;
  to.accuracy.set(test.correct / test.total);
  to.testLoss.set(test.loss);
}

/** Sources of the gauges, in addition to the status. */
export interface ReadSources extends Pick<RunHistory, 'pace'>, Pick<MetricsMemory, 'clockErrorsMs'> {}

/** Sets the gauges of a run at a scrape. Drops those of disconnected workers. */
export function readStatus(status: StatusReply, { pace, clockErrorsMs }: ReadSources, to: Instruments): void {
  const { step, totalSteps, epoch, workers } = status;
  to.step_.set(step);
  to.epoch.set(epoch);
  to.progress.set(step / totalSteps);
  readPace(pace, totalSteps - step, to);
  for (const state of workerStates) to.workers.set({ state }, 0);
  const present = new Set(workers.map(({ workerId }) => workerId));
  for (const workerId of clockErrorsMs.keys()) if (!present.has(workerId)) clockErrorsMs.delete(workerId);
  to.workerMemory.reset();
  to.clockError.reset();
  for (const [worker, errorMs] of clockErrorsMs) to.clockError.set({ worker }, errorMs / 1e3);
  for (const { workerId, state, residentBytes } of workers) {
    to.workers.inc({ state });
    if (residentBytes > 0) to.workerMemory.set({ worker: workerId }, residentBytes);
  }
}

function readPace(pace: RecentSteps, stepsLeft: number, to: Instruments): void {
  const [lecture, means] = [pace.means(lectureWindow), pace.means(paceSteps)];
  if (!pace.last || !lecture || !means) return;
  to.loss.set(pace.last.loss);
  to.meanLoss.set(lecture.loss);
  to.learningRate.set(pace.last.learningRate);
  to.rate.set(means.imagesPerSecond);
  to.left.set((stepsLeft * means.stepMs) / 1e3);
}

/** Raises the counters to the totals that the run keeps itself. */
export class CounterReader {
  readonly #seen = new Map<string, number>();

  read(traffic: TrafficCounts, audited: number, to: Instruments): void {
    for (const [kind, bytes] of Object.entries(traffic.sent)) to.sentBytes.inc({ kind }, this.#more(`>${kind}`, bytes));
    for (const [kind, bytes] of Object.entries(traffic.received)) {
      to.receivedBytes.inc({ kind }, this.#more(`<${kind}`, bytes));
    }
    to.audits.inc(this.#more('audited', audited));
  }

  /** Growth of a count since the last reading. */
  #more(name: string, count: number): number {
    const before = this.#seen.get(name) ?? 0;
    this.#seen.set(name, count);
    return count - before;
  }
}

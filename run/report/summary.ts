import type { EvaluationRecord, StepRecord } from '../records.js';
import { formatProgress } from './progress-line.js';
import type { ReportInput } from './report-input.js';
import { runningMean } from './running-mean.js';

/** Totals of one epoch's training steps. */
export interface EpochSummary {
  /** From 1. */
  readonly epoch: number;
  readonly steps: number;
  readonly samples: number;
  /** Mean over the epoch's samples, each before its update. */
  readonly loss: number;
  readonly correct: number;
  /** Rate of the epoch's last step. */
  readonly learningRate: number;
  /** Time spent in steps, without evaluations and pauses. */
  readonly seconds: number;
  /** Evaluation at the epoch's end, if any. */
  readonly test: EvaluationRecord | undefined;
}

/** Figures derived from a run's records; shared by page, charts and CSV files. */
export interface RunSummary {
  readonly steps: readonly StepRecord[];
  /** The lecture's 10-step running mean of the loss, `[steps − 9]`. */
  readonly meanLosses: Float64Array;
  readonly epochs: readonly EpochSummary[];
  readonly lastEvaluation: EvaluationRecord | undefined;
  /** Training samples per second of step time; undefined before the first step. */
  readonly rateSamplesPerSecond: number | undefined;
  /** Last progress line of the lecture's form; undefined before the first complete epoch. */
  readonly progressLine: string | undefined;
}

export function summarise(input: ReportInput): RunSummary {
  const epochs = summariseEpochs(input);
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const samples = epochs.reduce((sum, epoch) => sum + epoch.samples, 0);
  return {
    steps: input.steps,
    meanLosses: runningMean(Float64Array.from(input.steps, ({ loss }) => loss)),
    epochs,
    lastEvaluation: input.evaluations.at(-1),
    rateSamplesPerSecond: seconds > 0 ? samples / seconds : undefined,
    progressLine: lastProgressLine(input, epochs),
  };
}

function summariseEpochs({ steps, evaluations, stepsPerEpoch }: ReportInput): EpochSummary[] {
  const byEpoch = new Map<number, StepRecord[]>();
  for (const record of steps) {
    const records = byEpoch.get(record.epoch);
    if (records) records.push(record);
    else byEpoch.set(record.epoch, [record]);
  }
  const tests = new Map(evaluations.map((evaluation) => [evaluation.step, evaluation]));
  return [...byEpoch].map(([epoch, records]) => summariseEpoch(epoch, records, tests.get(epoch * stepsPerEpoch)));
}

function summariseEpoch(epoch: number, records: StepRecord[], test: EvaluationRecord | undefined): EpochSummary {
  let [samples, lossSum, correct, durationMs, learningRate] = [0, 0, 0, 0, 0];
  for (const record of records) {
    samples += record.samples;
    lossSum += record.loss * record.samples;
    correct += record.correct;
    durationMs += record.durationMs;
    learningRate = record.learningRate;
  }
  const seconds = durationMs / 1000;
  return { epoch, steps: records.length, samples, loss: lossSum / samples, correct, learningRate, seconds, test };
}

/**
 * The line of the last complete epoch's last step whose index in the epoch is a multiple of 100: the lecture's
 * `49000/50000` is step 1,000 of 1,021.
 */
function lastProgressLine({ steps, stepsPerEpoch }: ReportInput, epochs: readonly EpochSummary[]): string | undefined {
  const last = epochs.findLast((epoch) => epoch.steps === stepsPerEpoch);
  if (!last) return undefined;
  const ofEpoch = steps.filter(({ epoch }) => epoch === last.epoch);
  const index = 100 * Math.floor((ofEpoch.length - 1) / 100);
  const seen = ofEpoch.slice(0, index).reduce((sum, { samples }) => sum + samples, 0);
  return formatProgress({ epoch: last.epoch, seen, total: last.samples, loss: ofEpoch[index]?.loss ?? NaN });
}

import type { EvaluationRecord, StepRecord } from '../../records.js';
import type { EpochSummary } from '../summary.js';
import {
  baseOption,
  countAxis,
  legend,
  lineSeries,
  titleSpace,
  valueAxis,
  type Chart,
  type ChartStyle,
} from './chart.js';
import { thinCurve, type Point } from './thin.js';

export interface AccuracyData {
  readonly epochs: readonly EpochSummary[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly stepsPerEpoch: number;
}

/** Accuracy over epochs: of the epoch's training samples (each before its update), and of the test set. */
export function accuracyChart({ epochs, evaluations, stepsPerEpoch }: AccuracyData, style: ChartStyle): Chart {
  const { palette, width } = style;
  const train = epochs.map(({ epoch, correct, samples }): Point => [epoch, (100 * correct) / samples]);
  const test = evaluations.map(({ step, correct, total }): Point => [step / stepsPerEpoch, (100 * correct) / total]);
  const yAxis = valueAxis(style, 'accuracy, %', 40);
  const option = {
    ...baseOption(style),
    legend: legend(style),
    grid: { left: 60, right: 24, top: titleSpace(style) + 40, bottom: 48 },
    xAxis: countAxis(style, 'epoch', Math.max(1, epochs.length)),
    yAxis: { ...yAxis, scale: true },
    series: [lineSeries('training', palette.train, train), lineSeries('test set', palette.test, test)].filter(
      ({ data }) => data.length > 0,
    ),
  };
  return { option, width, height: 280 };
}

/** Learning rate over epochs, a point for each step. */
export function learningRateChart(steps: readonly StepRecord[], stepsPerEpoch: number, style: ChartStyle): Chart {
  const { palette, width } = style;
  const places = Float64Array.from(steps, ({ step }) => step / stepsPerEpoch);
  const rates = Float64Array.from(steps, ({ learningRate }) => learningRate);
  const yAxis = valueAxis(style, 'learning rate', 48);
  const option = {
    ...baseOption(style),
    grid: { left: 68, right: 24, top: titleSpace(style) + 40, bottom: 48 },
    xAxis: countAxis(style, 'epoch', Math.max(1, Math.ceil(steps.length / stepsPerEpoch))),
    yAxis: { ...yAxis, min: 0 },
    series: [lineSeries('learning rate', palette.train, thinCurve(places, rates, width))],
  };
  return { option, width, height: 280 };
}

import type { EvaluationRecord } from '../../records.js';
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
import { thinCurve, type Curve, type Point } from './thin.js';

export interface AccuracyData {
  /** Training accuracy, a share of 0 to 1, over epochs. */
  readonly training: Curve;
  readonly trainingName?: string;
  /** Training accuracy of each step, drawn paler behind it. */
  readonly raw?: Curve;
  readonly evaluations: readonly Pick<EvaluationRecord, 'step' | 'correct' | 'total'>[];
  readonly stepsPerEpoch: number;
}

/** Training accuracy by epoch: of all the epoch's samples, each before its update. */
export function accuracyByEpoch(epochs: readonly EpochSummary[]): Curve {
  return {
    x: epochs.map(({ epoch }) => epoch),
    y: epochs.map(({ correct, samples }) => correct / samples),
  };
}

/** Accuracy over epochs, in training and of the test set. */
export function accuracyChart(data: AccuracyData, style: ChartStyle): Chart {
  const { training, trainingName = 'training', raw, evaluations, stepsPerEpoch } = data;
  const { palette, width } = style;
  const test = evaluations.map(({ step, correct, total }): Point => [step / stepsPerEpoch, (100 * correct) / total]);
  const behind = raw ? [{ ...percentSeries('each step', palette.raw, raw, width), lineStyle: thin(palette.raw) }] : [];
  const yAxis = valueAxis(style, 'accuracy, %', 40);
  const option = {
    ...baseOption(style),
    legend: legend(style),
    grid: { left: 60, right: 24, top: titleSpace(style) + 40, bottom: 48 },
    xAxis: countAxis(style, 'epoch', lastEpoch(training)),
    yAxis: { ...yAxis, scale: true },
    series: [
      ...behind,
      percentSeries(trainingName, palette.train, training, width),
      lineSeries('test set', palette.test, test),
    ].filter(({ data: points }) => points.length > 0),
  };
  return { option, width, height: 280 };
}

/** Learning rate over epochs, from its value at each step. */
export function learningRateChart(rates: Curve, style: ChartStyle): Chart {
  return figureOverEpochs({ name: 'learning rate', curve: rates, left: 68 }, style);
}

/** Speed over epochs. */
export function speedChart(imagesPerSecond: Curve, style: ChartStyle): Chart {
  return figureOverEpochs({ name: 'images per second', curve: imagesPerSecond, left: 76 }, style);
}

function figureOverEpochs(
  { name, curve, left }: { readonly name: string; readonly curve: Curve; readonly left: number },
  style: ChartStyle,
): Chart {
  const { palette, width } = style;
  const option = {
    ...baseOption(style),
    grid: { left, right: 24, top: titleSpace(style) + 40, bottom: 48 },
    xAxis: countAxis(style, 'epoch', lastEpoch(curve)),
    yAxis: { ...valueAxis(style, name, left - 20), min: 0 },
    series: [lineSeries(name, palette.train, thinCurve(curve.x, curve.y, width))],
  };
  return { option, width, height: 280 };
}

function percentSeries(name: string, colour: string, { x, y }: Curve, width: number) {
  const points = thinCurve(x, y, width);
  return lineSeries(
    name,
    colour,
    points.map(([place, share]): Point => [place, 100 * share]),
  );
}

function thin(colour: string) {
  return { color: colour, width: 1 };
}

function lastEpoch({ x }: Curve): number {
  return Math.max(1, Math.ceil(x[x.length - 1] ?? 1));
}

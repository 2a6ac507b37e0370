import type { EvaluationRecord, StepRecord } from '../../records.js';
import { lectureWindow, runningMean } from '../running-mean.js';
import { baseOption, type Chart, type ChartStyle, countAxis, lineSeries, titleSpace, valueAxis } from './chart.js';
import { drawable, lossAxis, lossScale } from './loss.js';
import { type Point, thinCurve } from './thin.js';

/** One line of a chart that compares runs. */
export interface ComparedCurve {
  readonly name: string;
  /** Any CSS colour. */
  readonly colour: string;
  readonly dash: 'solid' | 'dashed' | 'dotted';
  readonly stepsPerEpoch: number;
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationRecord[];
}

/** The 10-step running mean of each run's loss over epochs, so that jobs with different batch sizes are comparable. */
export function lossComparison(curves: readonly ComparedCurve[], style: ChartStyle): Chart {
  const means = curves.map(({ steps }) => runningMean(Float64Array.from(steps, ({ loss }) => loss)));
  const scale = lossScale(Float64Array.from(means.flatMap((values) => [...values])));
  const series = curves.map((curve, i) => {
    const places = Float64Array.from(curve.steps, ({ step }) => (step + 1) / curve.stepsPerEpoch);
    const points = thinCurve(places.subarray(lectureWindow - 1), drawable(means[i]!, scale), style.width);
    return line(curve, points, lineWidth(i, curves.length));
  });
  return compare(curves, series, style, lossAxis(style, scale));
}

/** Accuracy of each run on its test set, over epochs. */
export function accuracyComparison(curves: readonly ComparedCurve[], style: ChartStyle): Chart {
  const series = curves.map((curve, i) =>
    line(
      curve,
      curve.evaluations.map(({ step, correct, total }): Point => [step / curve.stepsPerEpoch, (100 * correct) / total]),
      lineWidth(i, curves.length),
    ),
  );
  return compare(curves, series, style, { ...valueAxis(style, 'test accuracy, %', 44), scale: true });
}

/** The first is the widest, so that coinciding curves stay visible. */
function lineWidth(i: number, count: number): number {
  return 1.5 + (2.5 * (count - 1 - i)) / Math.max(1, count - 1);
}

function line({ name, colour, dash }: ComparedCurve, points: Point[], width: number) {
  return { ...lineSeries(name, colour, points), lineStyle: { color: colour, width, type: dash } };
}

function compare(
  curves: readonly ComparedCurve[],
  series: ReturnType<typeof line>[],
  style: ChartStyle,
  yAxis: ReturnType<typeof lossAxis> | (ReturnType<typeof valueAxis> & { scale: boolean }),
): Chart {
  const epochs = curves.map(({ steps, stepsPerEpoch }) => Math.ceil(((steps.at(-1)?.step ?? 0) + 1) / stepsPerEpoch));
  const option = {
    ...baseOption(style),
    grid: { left: 64, right: 24, top: titleSpace(style) + 16, bottom: 48 },
    xAxis: countAxis(style, 'epoch', Math.max(1, ...epochs)),
    yAxis,
    series: series.filter(({ data }) => data.length > 0),
  };
  return { option, width: style.width, height: style.width < 500 ? 280 : 360 };
}

import type { RunSummary } from '../summary.js';
import type { EvaluationRecord } from '../../records.js';
import { lectureWindow } from '../running-mean.js';
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

/** Data of the loss chart, over committed updates; the first step is at 1. */
export interface LossData {
  readonly raw: Curve;
  /** The lecture's running mean, each value at the last step that it covers. */
  readonly mean: Curve;
  readonly evaluations: readonly Pick<EvaluationRecord, 'step' | 'loss'>[];
}

/** The loss chart's data from the steps of a whole run. */
export function lossData(
  { steps, meanLosses }: Pick<RunSummary, 'steps' | 'meanLosses'>,
  evaluations: LossData['evaluations'],
): LossData {
  const numbers = Float64Array.from(steps, ({ step }) => step + 1);
  const raw = { x: numbers, y: Float64Array.from(steps, ({ loss }) => loss) };
  return { raw, mean: { x: numbers.subarray(lectureWindow - 1), y: meanLosses }, evaluations };
}

/**
 * Loss over steps: raw, the lecture's 10-step running mean, and the average test loss at each evaluation. Runs with
 * more steps than pixels are thinned without losing a peak.
 */
export function lossChart({ raw, mean, evaluations }: LossData, style: ChartStyle): Chart {
  const { palette, width } = style;
  const scale = lossScale(mean.y);
  const curve = (name: string, colour: string, lineWidth: number, { x, y }: Curve) => ({
    ...lineSeries(name, colour, thinCurve(x, drawable(y, scale), width)),
    lineStyle: { color: colour, width: lineWidth },
  });
  const option = {
    ...baseOption(style),
    legend: legend(style),
    grid: { left: 64, right: 32, top: titleSpace(style) + 40, bottom: 48 },
    xAxis: countAxis(style, 'step', raw.x[raw.x.length - 1] ?? 1),
    yAxis: lossAxis(style, scale),
    series: [
      curve('each step', palette.raw, 1, raw),
      curve(`${lectureWindow}-step mean`, palette.train, 1.5, mean),
      lineSeries(
        'test set',
        palette.test,
        evaluations.map(({ step, loss }): Point => [step, loss]),
      ),
    ].filter(({ data }) => data.length > 0),
  };
  return { option, width, height: width < 500 ? 280 : 360 };
}

/** The loss axis, linear from 0 or logarithmic. */
export function lossAxis(style: ChartStyle, scale: 'linear' | 'log') {
  if (scale === 'linear') return { ...valueAxis(style, 'loss', 40), min: 0 };
  const axis = valueAxis(style, 'loss, logarithmic', 48);
  // Powers of ten as the library computes them may be 0.00009999999999999999.
  const formatter = (value: number) => String(Number(value.toPrecision(3)));
  return { ...axis, type: 'log' as const, axisLabel: { ...axis.axisLabel, formatter } };
}

/** Values without a place on the scale become NaN, which is not drawn. */
export function drawable(losses: ArrayLike<number>, scale: 'linear' | 'log'): ArrayLike<number> {
  return scale === 'log' ? Float64Array.from(losses, (loss) => (loss > 0 ? loss : NaN)) : losses;
}

/** Logarithmic if the running mean falls below a thirtieth of its greatest value; smaller ranges are easier to read on a linear scale. */
export function lossScale(meanLosses: ArrayLike<number>): 'linear' | 'log' {
  let [least, greatest] = [Infinity, 0];
  for (let i = 0; i < meanLosses.length; i++) {
    const loss = meanLosses[i] ?? 0;
    if (loss > 0) least = Math.min(least, loss);
    greatest = Math.max(greatest, loss);
  }
  return greatest > 30 * least ? 'log' : 'linear';
}

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
import { thinCurve, type Point } from './thin.js';

/** What the loss curve shows. */
export type LossData = Pick<RunSummary, 'steps' | 'meanLosses'> & { readonly evaluations: readonly EvaluationRecord[] };

/**
 * Loss over steps: raw, the lecture's 10-step running mean (each at the last step that it covers), and the average
 * test loss where it was taken. Runs with more steps than pixels are thinned without losing a peak.
 */
export function lossChart({ steps, meanLosses, evaluations }: LossData, style: ChartStyle): Chart {
  const { palette, width } = style;
  const scale = lossScale(meanLosses);
  const numbers = Float64Array.from(steps, ({ step }) => step + 1);
  const losses = Float64Array.from(steps, ({ loss }) => loss);
  const tests = evaluations.map(({ step, loss }): Point => [step, loss]);
  const curve = (name: string, colour: string, lineWidth: number, firstStep: number, values: Float64Array) => ({
    ...lineSeries(name, colour, thinCurve(numbers.subarray(firstStep), drawable(values, scale), width)),
    lineStyle: { color: colour, width: lineWidth },
  });
  const option = {
    ...baseOption(style),
    legend: legend(style),
    grid: { left: 64, right: 32, top: titleSpace(style) + 40, bottom: 48 },
    xAxis: countAxis(style, 'step', numbers.at(-1) ?? 1),
    yAxis: lossAxis(style, scale),
    series: [
      curve('each step', palette.raw, 1, 0, losses),
      curve(`${lectureWindow}-step mean`, palette.train, 1.5, lectureWindow - 1, meanLosses),
      lineSeries('test set', palette.test, tests),
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
export function drawable(losses: Float64Array, scale: 'linear' | 'log'): Float64Array {
  return scale === 'log' ? losses.map((loss) => (loss > 0 ? loss : NaN)) : losses;
}

/** Logarithmic if the running mean falls below a thirtieth of its greatest value; less reads better linear. */
export function lossScale(meanLosses: Float64Array): 'linear' | 'log' {
  let [least, greatest] = [Infinity, 0];
  for (const loss of meanLosses) {
    if (loss > 0) least = Math.min(least, loss);
    greatest = Math.max(greatest, loss);
  }
  return greatest > 30 * least ? 'log' : 'linear';
}

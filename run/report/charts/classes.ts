import { classAccuracies, type Confusion } from '../confusion.js';
import { formatShare } from '../format.js';
import { baseOption, titleSpace, valueAxis, type Chart, type ChartStyle } from './chart.js';

/** Accuracy of each class as a horizontal bar with its value at the end, in the order of the classes. */
export function classAccuracyChart(confusion: Confusion, classes: readonly string[], style: ChartStyle): Chart {
  const { palette, width } = style;
  const percent = valueAxis(style, 'accuracy, %', 28);
  const option = {
    ...baseOption(style),
    grid: { left: 92, right: 64, top: titleSpace(style) + 12, bottom: 48 },
    xAxis: { ...percent, min: 0, max: 100 },
    yAxis: {
      type: 'category' as const,
      inverse: true,
      data: [...classes],
      axisLine: { lineStyle: { color: palette.muted } },
      axisTick: { show: false },
      axisLabel: { color: palette.ink, fontSize: 12, width: 84, overflow: 'truncate' as const, interval: 0 },
    },
    series: [
      {
        type: 'bar' as const,
        barWidth: '62%',
        silent: true,
        emphasis: { disabled: true },
        itemStyle: { color: palette.train },
        data: classAccuracies(confusion).map(({ accuracy }) => ({
          value: 100 * accuracy,
          label: { show: true, position: 'right' as const, formatter: formatShare(accuracy), color: palette.ink },
        })),
      },
    ],
  };
  return { option, width, height: 60 + titleSpace(style) + 28 * classes.length };
}

import { cellStrength, type Confusion } from '../confusion.js';
import { heatAnchors, heatColour, inkOn } from '../palette.js';
import { baseOption, titleSpace, type Chart, type ChartStyle } from './chart.js';

/** Space for the class names on the left and above, in CSS pixels. */
const margin = 116;

/**
 * The confusion matrix: actual classes down, predicted ones across, the count in each cell, coloured by `cellStrength`
 * on the light scale. Its width follows from the number of classes; beyond 40 classes the cells are too small for
 * numbers and show only colours.
 */
export function confusionChart(confusion: Confusion, classes: readonly string[], style: ChartStyle): Chart {
  const cell = Math.min(56, Math.max(12, 1100 / classes.length));
  const [width, top] = [margin + cell * classes.length + 24, titleSpace(style) + margin - 8];
  const names = { color: style.palette.ink, fontSize: 12, width: 96, overflow: 'truncate' as const, interval: 0 };
  const option = {
    ...baseOption(style),
    grid: { left: margin, right: 24, top, bottom: 20, outerBoundsMode: 'none' as const },
    xAxis: {
      ...classAxis(style, 'predicted', classes),
      position: 'top' as const,
      axisLabel: { ...names, rotate: -45 },
    },
    yAxis: { ...classAxis(style, 'actual', classes), inverse: true, axisLabel: names },
    visualMap: {
      show: false,
      type: 'continuous' as const,
      min: 0,
      max: 1,
      dimension: 2,
      inRange: { color: [...heatAnchors.light] },
    },
    series: [
      {
        type: 'heatmap' as const,
        silent: true,
        emphasis: { disabled: true },
        itemStyle: { borderColor: '#ffffff', borderWidth: 1 },
        data: cells(confusion, cell >= 27),
      },
    ],
  };
  return { option, width, height: top + cell * classes.length + 20 };
}

function classAxis({ palette }: ChartStyle, name: string, classes: readonly string[]) {
  return {
    type: 'category' as const,
    name,
    nameLocation: 'middle' as const,
    nameGap: margin - 24,
    nameTextStyle: { color: palette.muted, fontSize: 12 },
    data: [...classes],
    axisLine: { show: false },
    axisTick: { show: false },
    splitArea: { show: false },
  };
}

function cells(confusion: Confusion, numbers: boolean) {
  return confusion.flatMap((row, actual) =>
    row.map((count, predicted) => {
      const strength = cellStrength(count, row);
      const color = inkOn(heatColour(strength, 'light'));
      return {
        value: [predicted, actual, strength],
        label: { show: numbers, formatter: String(count), color, fontSize: 13 },
      };
    }),
  );
}

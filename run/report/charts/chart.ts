import type { BarSeriesOption, HeatmapSeriesOption, LineSeriesOption } from 'echarts/charts';
import type {
  GridComponentOption,
  LegendComponentOption,
  TitleComponentOption,
  VisualMapComponentOption,
} from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import { formatCount } from '../format.js';
import type { Palette } from '../palette.js';
import type { Point } from './thin.js';

/** ECharts components of the charts; the renderer must register them. */
type ChartOption = ComposeOption<
  | LineSeriesOption
  | BarSeriesOption
  | HeatmapSeriesOption
  | GridComponentOption
  | LegendComponentOption
  | TitleComponentOption
  | VisualMapComponentOption
>;

/** A chart and the size in CSS pixels for which it is laid out. */
export interface Chart {
  readonly option: ChartOption;
  readonly width: number;
  readonly height: number;
}

/** Appearance of a chart, independent of its data. */
export interface ChartStyle {
  readonly palette: Palette;
  readonly fontFamily: string;
  /** Width in CSS pixels, 320 or more. */
  readonly width: number;
  /** Title of a standalone chart. */
  readonly title?: string;
}

const titleHeight = 34;

/** Height of the title in pixels; 0 without one. */
export function titleSpace(style: ChartStyle): number {
  return style.title === undefined ? 0 : titleHeight;
}

/** Settings of all charts. */
export function baseOption(style: ChartStyle) {
  const { palette, fontFamily, title } = style;
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily, color: palette.ink },
    ...(title === undefined
      ? {}
      : { title: { text: title, left: 12, top: 10, textStyle: { color: palette.ink, fontSize: 15, fontFamily } } }),
  } satisfies ChartOption;
}

/** A legend in one row above the plot, on the left. */
export function legend(style: ChartStyle) {
  return {
    left: 8,
    top: titleSpace(style) + 4,
    itemGap: 24,
    itemWidth: 16,
    itemHeight: 4,
    icon: 'roundRect',
    selectedMode: false as const,
    textStyle: { color: style.palette.ink, fontSize: 12 },
  } satisfies LegendComponentOption;
}

/** A numeric axis with its title in the middle, in muted colours. */
export function valueAxis({ palette }: ChartStyle, name: string, nameGap: number) {
  return {
    type: 'value' as const,
    name,
    nameLocation: 'middle' as const,
    nameGap,
    nameTextStyle: { color: palette.muted, fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: palette.muted } },
    axisTick: { show: true, lineStyle: { color: palette.muted } },
    axisLabel: { color: palette.muted, fontSize: 12, hideOverlap: true },
    splitLine: { lineStyle: { color: palette.grid } },
  };
}

/** A horizontal axis of steps or epochs: no vertical lines, whole numbers with thousands separated. */
export function countAxis(style: ChartStyle, name: string, max: number) {
  const axis = valueAxis(style, name, 28);
  return {
    ...axis,
    min: 0,
    max,
    minInterval: 1,
    splitNumber: style.width < 500 ? 4 : 8,
    axisLabel: { ...axis.axisLabel, formatter: formatCount, showMaxLabel: true },
    splitLine: { show: false },
  };
}

/** A line without emphasis states; dots only for few points. */
export function lineSeries(name: string, colour: string, data: Point[]) {
  return {
    name,
    type: 'line' as const,
    data,
    showSymbol: data.length <= 30,
    symbol: 'circle',
    symbolSize: 6,
    silent: true,
    emphasis: { disabled: true },
    lineStyle: { color: colour, width: 2 },
    itemStyle: { color: colour },
  };
}

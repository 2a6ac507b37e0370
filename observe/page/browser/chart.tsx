import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Chart, ChartStyle } from '../../../run/report/charts/chart.js';
import { variablePalette } from '../../../run/report/palette.js';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** Narrowest layout of the charts. */
const minWidth = 320;

export interface ChartViewProps<Data> {
  /** Text alternative for screen readers. */
  readonly label: string;
  readonly data: Data;
  /** Must be the same function at every render. */
  readonly draw: (data: Data, style: ChartStyle) => Chart;
}

/** A chart of the report, fitted to the available width and redrawn when `data` is another object. */
export function ChartView<Data>({ label, data, draw }: ChartViewProps<Data>) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);
  const [width, setWidth] = useState(0);

  useLayoutEffect(() => {
    const element = host.current!;
    const measure = () => setWidth(Math.max(minWidth, Math.floor(element.clientWidth)));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => {
      observer.disconnect();
      chart.current?.dispose();
    };
  }, []);

  useEffect(() => {
    if (width === 0) return;
    // By name, as the library measures texts before it draws them.
    const { fontFamily } = getComputedStyle(host.current!);
    const drawn = draw(data, { palette: variablePalette, fontFamily, width });
    const size = { width: drawn.width, height: drawn.height };
    chart.current ??= init(host.current, null, { renderer: 'svg', ...size });
    if (chart.current.getWidth() !== size.width || chart.current.getHeight() !== size.height)
      chart.current.resize(size);
    chart.current.setOption(drawn.option, { notMerge: true });
  }, [data, width, draw]);

  return <div class="chart" role="img" aria-label={label} ref={host} />;
}

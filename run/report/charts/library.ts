import { BarChart, HeatmapChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent, VisualMapComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([LineChart, BarChart, HeatmapChart, SVGRenderer]);
use([GridComponent, LegendComponent, TitleComponent, VisualMapComponent]);

/** Creates a chart. The chart library is a development dependency: the build bundles this module with its parts. */
export { init };

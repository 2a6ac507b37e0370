import { createRequire } from 'node:module';
import type { Chart, ChartStyle } from './charts/chart.js';
import type { init as Init } from './charts/library.js';
import { palettes } from './palette.js';

/** Renders charts without a browser. */
export interface ChartRenderer {
  /**
   * The chart as an SVG document.
   * @param id - prefix of the chart's internal ids, unique in the page.
   */
  svg(chart: Chart, id: string): string;
  /** The document as PNG on white, at two pixels per CSS pixel; text in DejaVu Sans. */
  png(svg: string): Promise<Uint8Array>;
}

/** Font of standalone pictures; the PNG renderer gets its files, so the machine needs no fonts. */
const pictureFont = 'DejaVu Sans';

/** Style of a standalone picture; its title names job and dataset, because the file may be shared on its own. */
export function pictureStyle(title: string): ChartStyle {
  return { palette: palettes.light, fontFamily: `${pictureFont}, Verdana, sans-serif`, width: 900, title };
}

/** Loads the chart and picture libraries (about half a second), so call it when a report is due, not before. */
export async function loadRenderer(): Promise<ChartRenderer> {
  const [{ init }, { renderAsync }] = await Promise.all([import('./charts/library.js'), import('@resvg/resvg-js')]);
  return {
    svg: (chart, id) => renderSvg(init, chart, id),
    png: async (svg) => (await renderAsync(svg, pngOptions(svg))).asPng(),
  };
}

function renderSvg(init: typeof Init, { option, width, height }: Chart, id: string): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return makeStill(chart.renderToSVGString(), id);
  } finally {
    chart.dispose();
  }
}

/** Characters that XML can't contain. Class names come from folder names, which may contain them. */
const notInXml = /(?![\t\n\r])[\p{Cs}\u0000-\u001f\ufffe\uffff]/gu;

/**
 * Removes what the library adds for pointers (style rules, classes, data attributes). Replaces the counter in ids, which
 * grows from chart to chart, so that equal charts give equal text.
 */
function makeStill(svg: string, id: string): string {
  return svg
    .replace(/<style ?>.*?<\/style>\s*/gs, '')
    .replace(/ (?:class="zr\d+-cls-\d+"|ecmeta_\w+="[^"]*"|pointer-events="\w+")/g, '')
    .replace(/(id="|url\(#)zr\d+-/g, `$1${id}-`)
    .replace(notInXml, '\ufffd');
}

const fonts = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

function pngOptions(svg: string) {
  const width = Number(/width="(\d+)/.exec(svg)?.[1] ?? 800);
  const require = createRequire(import.meta.url);
  return {
    background: '#ffffff',
    fitTo: { mode: 'width' as const, value: 2 * width },
    font: {
      loadSystemFonts: false,
      defaultFontFamily: pictureFont,
      sansSerifFamily: pictureFont,
      fontFiles: fonts.map((name) => require.resolve(`dejavu-fonts-ttf/ttf/${name}`)),
    },
  };
}

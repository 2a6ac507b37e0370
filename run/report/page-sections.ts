import { html, raw } from 'hono/html';
import type { Chart, ChartStyle } from './charts/chart.js';
import type { Html } from './html-page.js';
import { variablePalette } from './palette.js';
import type { ChartRenderer } from './render.js';
import type { ReportInput } from './report-input.js';
import type { RunSummary } from './summary.js';

/** Input of every section of the page. */
export interface PageContext {
  readonly input: ReportInput;
  readonly summary: RunSummary;
  readonly renderer: ChartRenderer;
}

/** Widths for which a chart of the page is laid out: a full column or half of one, and a phone. */
const widths = { full: 956, half: 466, phone: 340 };

export interface FigureText {
  /** Unique in the page. */
  readonly name: string;
  /** Text alternative for screen readers. */
  readonly label: string;
  readonly size: 'full' | 'half';
}

/** A chart in two layouts; the style sheet shows the one that fits. */
export function figure(
  { renderer }: Pick<PageContext, 'renderer'>,
  text: FigureText,
  draw: (style: ChartStyle) => Chart,
): Html {
  const layout = (variant: 'wide' | 'narrow', width: number) => {
    const chart = draw({ palette: variablePalette, fontFamily: 'inherit', width });
    const svg = raw(renderer.svg(chart, `${text.name}-${variant}`));
    return html`<div class="${variant}" role="img" aria-label="${text.label}">${svg}</div>`;
  };
  return html`<figure>${layout('wide', widths[text.size])}${layout('narrow', widths.phone)}</figure>`;
}

/** Links to files with the same content in the page's folder. */
export function fileLinks(name: string, ...endings: string[]): Html {
  const links = endings.map((ending) => html` <a href="${name}.${ending}">${ending.toUpperCase()}</a>`);
  return html`<p class="note files">Download:${links}</p>`;
}

/** A section for figures that the run doesn't have. */
export function emptySection(title: string, reason: string): Html {
  return html`<section>
    <h2>${title}</h2>
    <p>${reason}</p>
  </section>`;
}

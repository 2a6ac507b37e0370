import { html, raw } from 'hono/html';
import { compareDigests } from '../history/compare-digests.js';
import type { ComparedRun } from '../history/compared-run.js';
import { differingFields } from '../history/differing-fields.js';
import { accuracyComparison, type ComparedCurve, lossComparison } from './charts/compare.js';
import { formatCount, formatDuration, formatShare } from './format.js';
import { htmlPage, type Html } from './html-page.js';
import { figure } from './page-sections.js';
import { pageStyle } from './page-style.js';
import type { ChartRenderer } from './render.js';
import { lectureWindow } from './running-mean.js';

/** Colours of the runs, in their order; more runs than these can't be distinguished. */
const colours = {
  light: ['#1f5fae', '#c2410c', '#2e7d32', '#7b2d8e', '#8a6d00', '#00707a'],
  dark: ['#6cb0ff', '#ff9a5c', '#7fd18a', '#d79be6', '#e2c04a', '#52d0d8'],
};
const dashes = ['solid', 'dashed'] as const;
export const mostCompared = colours.light.length * dashes.length;

/** One self-contained HTML page that compares runs with the first of them. */
export function renderComparison(runs: readonly ComparedRun[], renderer: ChartRenderer): string {
  const title = `${runs.length} runs compared`;
  return htmlPage({
    title,
    head: html`<style>
      ${raw(pageStyle() + style())}
    </style>`,
    body: html`<main class="broad">
      ${banners(runs)}
      <header><h1>${title}</h1></header>
      ${resultSection(runs)} ${chartSections(runs, renderer)} ${differenceSection(runs)}
    </main>`,
  });
}

function style(): string {
  const variables = (mode: 'light' | 'dark') => colours[mode].map((colour, i) => `--run${i}: ${colour};`).join(' ');
  return `
:root { ${variables('light')} }
@media (prefers-color-scheme: dark) { :root { ${variables('dark')} } }
${colours.light.map((_, i) => `.run${i} { color: var(--run${i}) }`).join('\n')}
.swatch { display: inline-block; width: 24px; margin-right: 8px; border-top: 3px solid; vertical-align: middle }
.broad { max-width: 1200px }
.broad td code { white-space: nowrap }
.dashed { border-top-style: dashed }
`;
}

function swatch(i: number): Html {
  const dash = dashes[Math.floor(i / colours.light.length)]!;
  return html`<span class="swatch ${dash} run${i % colours.light.length}"></span>`;
}

function banners(runs: readonly ComparedRun[]): Html[] {
  const synthetic = runs.filter(({ manifest }) => manifest.dataset.synthetic);
  if (synthetic.length === 0) return [];
  const names = synthetic.map(({ label }) => label).join(', ');
  return [html`<p class="banner" role="alert">Synthetic data: results say nothing about CIFAR-10 (${names}).</p>`];
}

function resultSection(runs: readonly ComparedRun[]): Html {
  const heads = ['Steps', 'Epochs', 'Test accuracy', 'Test loss', 'Duration', 'Images/s', 'Workers'];
  return html`<section>
    <h2>Results</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Results">
      <table class="wide-table roomy">
        <thead>
          <tr>
            <th>Run</th>
            <th>State</th>
            ${heads.map((head) => html`<th class="n">${head}</th>`)}
            <th>Digest</th>
            <th>Bits</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map((run, i) => resultRow(run, i, runs[0]!))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function resultRow(run: ComparedRun, i: number, first: ComparedRun): Html {
  const { state, steps, epochsDone, epochs, accuracy, testLoss, seconds, digest } = run.summary;
  const cells = [
    formatCount(steps ?? 0),
    `${epochsDone}/${epochs}`,
    formatShare(accuracy ?? NaN, 2),
    testLoss === null ? '–' : testLoss.toFixed(4),
    formatDuration(seconds ?? 0),
    formatRate(run),
    run.steps.reduce((most, { workers }) => Math.max(most, workers), 0),
  ];
  return html`<tr>
    <th scope="row">${swatch(i)}${run.label}</th>
    <td>${state}</td>
    ${cells.map((cell) => html`<td class="n">${cell}</td>`)}
    <td><code title="${digest ?? ''}">${digest?.slice(0, 12) ?? '–'}</code></td>
    <td>${i === 0 ? 'first' : describeBits(first, run)}</td>
  </tr>`;
}

/** Comparison of a run's digest chain with the first run's. */
export function describeBits(first: Pick<ComparedRun, 'manifest' | 'digests'>, run: typeof first): string {
  if (first.manifest.digest !== run.manifest.digest) return 'another job';
  const comparison = compareDigests(first.digests, run.digests);
  switch (comparison.outcome) {
    case 'equal':
      return `equal, epochs 1 to ${comparison.epochs}`;
    case 'different':
      return `different from epoch ${comparison.epoch} on`;
    case 'nothing to compare':
      return 'no epoch in common';
    default:
      return comparison satisfies never;
  }
}

function formatRate({ steps }: ComparedRun): string {
  const sum = (of: 'samples' | 'durationMs') => steps.reduce((total, step) => total + step[of], 0);
  return steps.length === 0 ? '–' : formatCount((1000 * sum('samples')) / sum('durationMs'));
}

function chartSections(runs: readonly ComparedRun[], renderer: ChartRenderer): Html[] {
  const curves = runs.map(({ label, stepsPerEpoch, steps, evaluations }, i): ComparedCurve => {
    const colour = `var(--run${i % colours.light.length})`;
    const dash = dashes[Math.floor(i / colours.light.length)]!;
    return { name: label, colour, dash, stepsPerEpoch, steps, evaluations };
  });
  const lossText = { name: 'loss', label: 'Loss of each run over epochs', size: 'full' } as const;
  const accuracyText = { name: 'accuracy', label: 'Test accuracy of each run over epochs', size: 'full' } as const;
  return [
    html`<section>
      <h2>Loss</h2>
      <p class="note">Running mean of ${lectureWindow} steps, each before its update.</p>
      ${legend(runs)} ${figure({ renderer }, lossText, (style) => lossComparison(curves, style))}
    </section>`,
    html`<section>
      <h2>Test accuracy</h2>
      ${legend(runs)} ${figure({ renderer }, accuracyText, (style) => accuracyComparison(curves, style))}
    </section>`,
  ];
}

function legend(runs: readonly ComparedRun[]): Html {
  return html`<p class="note beside">${runs.map(({ label }, i) => html`<span>${swatch(i)}${label}</span>`)}</p>`;
}

/** Fields of the spec, dataset and job digest in which the runs differ. */
function differenceSection(runs: readonly ComparedRun[]): Html {
  const fields = differingFields(
    runs.map(({ manifest }) => ({
      ...manifest.spec,
      dataset: manifest.dataset.title,
      job: manifest.digest.slice(0, 12),
    })),
  );
  if (fields.length === 0)
    return html`<section>
      <h2>Differences</h2>
      <p>None: all runs have the same spec.</p>
    </section>`;
  return html`<section>
    <h2>Differences</h2>
    <p class="note">Fields of the spec that differ between runs; <code>job</code> is the job's digest.</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Differences">
      <table class="wide-table">
        <thead>
          <tr>
            <th>Field</th>
            ${runs.map(({ label }, i) => html`<th>${swatch(i)}${label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${fields.map(
            ({ path, values }) =>
              html`<tr>
                <th scope="row"><code>${path}</code></th>
                ${values.map((value) => html`<td><code>${show(value)}</code></td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function show(value: unknown): string {
  if (value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

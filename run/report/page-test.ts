import { html } from 'hono/html';
import type { TestRow } from '../records.js';
import { classAccuracyChart } from './charts/classes.js';
import { cellStrength, classAccuracies, mostConfused } from './confusion.js';
import { formatCount, formatShare } from './format.js';
import type { Html } from './html-page.js';
import { emptySection, figure, fileLinks, type PageContext } from './page-sections.js';
import { heatLevels } from './heat-levels.js';

/** Sections about the test set; without an evaluation, the first reports that and the others are omitted. */

export function confusionSection({ input, summary }: PageContext): Html {
  const evaluation = summary.lastEvaluation;
  if (!evaluation) return emptySection('Test set', 'Not evaluated.');
  const { classes, title } = input.dataset;
  const { confusion, total, step } = evaluation;
  return html`<section>
    <h2>Confusion matrix</h2>
    <p class="note">
      ${formatCount(total)} test images of ${title} after step ${formatCount(step)}. Colour: square root of the share of
      the row, which makes rare mistakes visible.
    </p>
    <div class="beside">
      <div class="scroll">
        <table class="matrix">
          <thead>
            <tr>
              <td></td>
              <th class="axis" colspan="${classes.length}">predicted</th>
            </tr>
            <tr>
              <th class="n">actual</th>
              ${classes.map((name) => html`<th class="class" scope="col"><span>${name}</span></th>`)}
            </tr>
          </thead>
          <tbody>
            ${confusion.map((row, actual) => matrixRow(classes[actual] ?? String(actual), row))}
          </tbody>
        </table>
      </div>
      ${confusedPairs(confusion, classes)}
    </div>
    ${fileLinks('confusion', 'svg', 'png', 'csv')}
  </section>`;
}

function matrixRow(name: string, row: readonly number[]): Html {
  const level = (count: number) => Math.round(cellStrength(count, row) * (heatLevels - 1));
  return html`<tr>
    <th scope="row">${name}</th>
    ${row.map((count) => html`<td class="h${level(count)}">${count}</td>`)}
  </tr>`;
}

function confusedPairs(confusion: readonly (readonly number[])[], classes: readonly string[]): Html | undefined {
  const pairs = mostConfused(confusion, 5);
  if (pairs.length === 0) return undefined;
  const rows = pairs.map(
    ({ actual, predicted, count, share }) =>
      html`<tr>
        <td>${classes[actual]}</td>
        <td>${classes[predicted]}</td>
        <td class="n">${count}</td>
        <td class="n">${formatShare(share)}</td>
      </tr>`,
  );
  return html`<div>
    <h3>Most frequent mistakes</h3>
    <table>
      <thead>
        <tr>
          <th>Actual</th>
          <th>Predicted</th>
          <th class="n">Times</th>
          <th class="n">Share of class</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

export function classSection(context: PageContext): Html | undefined {
  const { input, summary } = context;
  if (!summary.lastEvaluation) return undefined;
  const { confusion } = summary.lastEvaluation;
  const { classes } = input.dataset;
  const rows = classAccuracies(confusion).map(
    ({ correct, total, accuracy }, i) =>
      html`<tr>
        <th scope="row">${classes[i]}</th>
        <td class="n">${correct}</td>
        <td class="n">${total}</td>
        <td class="n">${formatShare(accuracy)}</td>
      </tr>`,
  );
  const text = { name: 'classes', label: 'Accuracy per class', size: 'half' } as const;
  return html`<section>
    <h2>Accuracy per class</h2>
    <div class="pair">
      ${figure(context, text, (style) => classAccuracyChart(confusion, classes, style))}
      <div class="scroll">
        <table class="wide-table">
          <thead>
            <tr>
              <th>Class</th>
              <th class="n">Correct</th>
              <th class="n">Images</th>
              <th class="n">Accuracy</th>
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>
    </div>
    ${fileLinks('accuracy-per-class', 'svg', 'png')}
  </section>`;
}

export function lastImagesSection({ input }: PageContext): Html | undefined {
  const { lastTestRows: rows, dataset } = input;
  if (rows.length === 0) return undefined;
  const name = (label: number) => `${label} ${dataset.classes[label] ?? ''}`;
  const labels = ({ index, label, predicted }: TestRow) =>
    html`<tr>
      <td class="n">${index}</td>
      <td>${name(label)}</td>
      <td class="${predicted === label ? 'right' : 'wrong'}">${name(predicted)}</td>
    </tr>`;
  return html`<section>
    <h2>Last ${rows.length} test images</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th class="n">Image</th>
            <th>True label</th>
            <th>Predicted</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(labels)}
        </tbody>
      </table>
    </div>
    <h3>Log-probabilities</h3>
    <div class="scroll">
      <table class="wide-table">
        <thead>
          <tr>
            <th class="n">Image</th>
            ${dataset.classes.map((className) => html`<th class="n">${className}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(logRow)}
        </tbody>
      </table>
    </div>
  </section>`;
}

function logRow({ index, logProbabilities, predicted }: TestRow): Html {
  const cells = logProbabilities.map((value, i) => {
    const mark = i === predicted ? 'best' : 'other';
    return html`<td class="n"><span class="${mark}">${value.toFixed(4)}</span></td>`;
  });
  return html`<tr>
    <td class="n">${index}</td>
    ${cells}
  </tr>`;
}

import { html } from 'hono/html';
import { formatCount, formatPlural, formatScore } from './format.js';
import type { Html } from './html-page.js';
import { lecture } from './lecture.js';
import type { PageContext } from './page-sections.js';

type Cell = string | number | Html;

/** Comparison of the run's figures with the lecture's; the first row names the data of each. */
export function lectureSection({ input, summary }: PageContext): Html {
  const { spec, dataset, steps, lastTestRows } = input;
  const test = summary.lastEvaluation;
  const { cnn4, cnn3 } = lecture;
  const lengths = lecture.runningMeanLengths.map(
    ({ epochs, length }) => `${formatCount(length)} after ${epochs} epochs`,
  );
  const labels = lastTestRows.map(({ label }) => label).join(', ');
  const predictions = lastTestRows.map(({ predicted }) => predicted).join(', ');
  // Each row: name, this run, and the lecture's figures, one per network or one for both.
  const rows: Cell[][] = [
    ['Data', dataset.title, 'CIFAR-10', 'CIFAR-10'],
    ['Epochs', `${spec.epochs} (${formatPlural(steps.length, 'step')})`, cnn3.epochs, cnn4.epochs],
    ['Average test loss', test ? test.loss.toFixed(4) : '–', cnn3.loss.toFixed(4), cnn4.loss.toFixed(4)],
    ['Test accuracy', test ? formatScore(test) : '–', formatScore(cnn3), formatScore(cnn4)],
    ['10-step means (steps − 9)', formatCount(summary.meanLosses.length), lengths.join(', ')],
    ['Last four true labels', labels || '–', lecture.lastLabels.join(', ')],
    ['Predicted', predictions || '–', lecture.lastPredictions.join(', ')],
    ['Progress line', summary.progressLine ? code(summary.progressLine) : '–', code(lecture.progressLine)],
  ];
  return html`<section>
    <h2>Comparison with the lecture</h2>
    <div class="scroll">
      <table class="wide-table roomy">
        <thead>
          <tr>
            <th></th>
            <th>This run, ${spec.model}</th>
            <th>Lecture, ${cnn3.network}</th>
            <th>Lecture, ${cnn4.network}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(tableRow)}
        </tbody>
      </table>
    </div>
  </section>`;
}

function tableRow([name, ours, ...theirs]: Cell[]): Html {
  const columns = 2 / theirs.length;
  return html`<tr>
    <th scope="row">${name}</th>
    <td>${ours}</td>
    ${theirs.map((cell) => html`<td colspan="${columns}">${cell}</td>`)}
  </tr>`;
}

function code(text: string): Html {
  return html`<code>${text}</code>`;
}

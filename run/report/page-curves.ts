import { html } from 'hono/html';
import { accuracyByEpoch, accuracyChart, learningRateChart } from './charts/epochs.js';
import type { ChartStyle } from './charts/chart.js';
import { lossChart, lossData } from './charts/loss.js';
import { formatCount, formatDuration, formatPlural, formatShare } from './format.js';
import type { Html } from './html-page.js';
import { emptySection, figure, fileLinks, type PageContext } from './page-sections.js';
import { lectureWindow } from './running-mean.js';
import type { EpochSummary } from './summary.js';

export function lossSection(context: PageContext): Html {
  const { input, summary } = context;
  const { steps, meanLosses } = summary;
  if (steps.length === 0) return emptySection('Loss', 'No steps.');
  const data = lossData(summary, input.evaluations);
  return html`<section>
    <h2>Loss</h2>
    <p class="note">
      Training loss (cross-entropy) of ${formatPlural(steps.length, 'step')}, each before its update. The running mean
      over ${lectureWindow} steps has ${formatPlural(meanLosses.length, 'value')}.
      ${formatPlural(input.stepsPerEpoch, 'step')} per epoch.
    </p>
    ${figure(context, { name: 'loss', label: 'Loss over steps', size: 'full' }, (style) => lossChart(data, style))}
    ${fileLinks('loss', 'svg', 'png', 'csv')}
  </section>`;
}

export function learningSection(context: PageContext): Html | undefined {
  const { input, summary } = context;
  if (summary.steps.length === 0) return undefined;
  const accuracyText = { name: 'accuracy', label: 'Accuracy over epochs', size: 'half' } as const;
  const rateText = { name: 'rate', label: 'Learning rate over epochs', size: 'half' } as const;
  const { stepsPerEpoch, evaluations } = input;
  const accuracy = { training: accuracyByEpoch(summary.epochs), evaluations, stepsPerEpoch };
  const rates = {
    x: Float64Array.from(summary.steps, ({ step }) => step / stepsPerEpoch),
    y: Float64Array.from(summary.steps, ({ learningRate }) => learningRate),
  };
  const drawRate = (style: ChartStyle) => learningRateChart(rates, style);
  return html`<section>
    <div class="pair">
      <div>
        <h2>Accuracy per epoch</h2>
        ${figure(context, accuracyText, (style) => accuracyChart(accuracy, style))}
      </div>
      <div>
        <h2>Learning rate</h2>
        ${figure(context, rateText, drawRate)}
      </div>
    </div>
  </section>`;
}

/** Figures of each epoch, collapsed if there are many. */
export function epochSection({ input, summary: { epochs } }: PageContext): Html | undefined {
  if (epochs.length === 0) return undefined;
  const table = html`<div class="scroll">
    <table class="wide-table">
      <thead>
        <tr>
          <th class="n">Epoch</th>
          <th class="n">Steps</th>
          <th class="n">Learning rate</th>
          <th class="n">Training loss</th>
          <th class="n">Training accuracy</th>
          <th class="n">Test loss</th>
          <th class="n">Test accuracy</th>
          <th class="n">Time</th>
          <th class="n">Images/s</th>
        </tr>
      </thead>
      <tbody>
        ${epochs.map(epochRow)}
      </tbody>
    </table>
  </div>`;
  return html`<section>
    <h2>Epochs</h2>
    <p class="note">
      Training figures are means over the epoch's samples, each before its update; the learning rate is that of the
      epoch's last step. ${epochs.at(-1)?.steps === input.stepsPerEpoch ? undefined : 'The last epoch is incomplete.'}
    </p>
    ${epochs.length <= 12 ? table : folded(`Show ${epochs.length} epochs`, table)} ${fileLinks('epochs', 'csv')}
  </section>`;
}

function folded(label: string, content: Html): Html {
  return html`<details>
    <summary>${label}</summary>
    ${content}
  </details>`;
}

function epochRow({ epoch, steps, samples, loss, correct, learningRate, seconds, test }: EpochSummary): Html {
  const cells = [
    epoch,
    formatCount(steps),
    learningRate.toPrecision(3),
    loss.toFixed(4),
    formatShare(correct / samples),
    test ? test.loss.toFixed(4) : '–',
    test ? formatShare(test.correct / test.total) : '–',
    formatDuration(seconds),
    formatCount(samples / seconds),
  ];
  return html`<tr>
    ${cells.map((cell) => html`<td class="n">${cell}</td>`)}
  </tr>`;
}

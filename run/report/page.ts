import { stringify } from 'yaml';
import { html, raw } from 'hono/html';
import type { EvaluationRecord } from '../records.js';
import { formatCount, formatDuration, formatPlural, formatShare } from './format.js';
import { htmlPage, type Html } from './html-page.js';
import { doubts, notReproducible, reproduciblePromise } from './numerics.js';
import { epochSection, learningSection, lossSection } from './page-curves.js';
import { lectureSection } from './page-lecture.js';
import type { PageContext } from './page-sections.js';
import { pageStyle } from './page-style.js';
import { classSection, confusionSection, lastImagesSection } from './page-test.js';
import type { VerifyPage } from '../verify/verify-page.js';
import type { ChartRenderer } from './render.js';
import type { ReportInput } from './report-input.js';
import type { RunSummary } from './summary.js';

export interface PageOptions {
  /** Versions to list in addition to the engine's, e.g. `{ Lockstep: '0.1.0' }`; Node.js and the platform by default. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Time shown under the title; none by default, so that equal runs give equal pages. */
  readonly writtenAt?: Date;
  /** Page of the report's folder that computes a shard in the reader's browser; by default, it isn't mentioned. */
  readonly verify?: VerifyPage;
}

/** The report as one HTML page, which refers to nothing but the files in its folder. */
export function renderPage(
  input: ReportInput,
  summary: RunSummary,
  renderer: ChartRenderer,
  options: PageOptions = {},
): string {
  const context: PageContext = { input, summary, renderer };
  return htmlPage({
    title: `${input.spec.name}: ${input.dataset.title}`,
    head: html`<style>
      ${raw(pageStyle())}
    </style>`,
    body: html`<main>
      ${banners(input)} ${header(input, summary, options)} ${lossSection(context)} ${learningSection(context)}
      ${confusionSection(context)} ${classSection(context)} ${lastImagesSection(context)} ${lectureSection(context)}
      ${epochSection(context)} ${digestSection(input, options)} ${jobSection(input, options)}
    </main>`,
  });
}

function banners(input: ReportInput): Html[] {
  const { dataset, outcome, steps, spec, stepsPerEpoch } = input;
  const texts = [
    ...(dataset.synthetic ? [`Results on the ${dataset.title}. They say nothing about CIFAR-10.`] : []),
    ...(outcome === 'stopped'
      ? [`Stopped after step ${formatCount(steps.length)} of ${formatCount(spec.epochs * stepsPerEpoch)}.`]
      : []),
    ...doubts(input),
  ];
  return texts.map((text) => html`<p class="banner" role="alert">${text}</p>`);
}

function header(input: ReportInput, summary: RunSummary, { writtenAt }: PageOptions): Html {
  const { spec, dataset, steps, seconds, workers } = input;
  const { lastEvaluation: test, rateSamplesPerSecond: rate } = summary;
  const date = writtenAt && html` · ${writtenAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return html`<header>
    <h1>${spec.name}</h1>
    <p class="note">${spec.model} on ${dataset.title} · ${formatCount(input.parameterCount)} parameters${date}</p>
    <dl class="tiles">
      ${testTiles(test)} ${tile('Duration', formatDuration(seconds), formatPlural(steps.length, 'step'))}
      ${tile('Images per second', rate === undefined ? '–' : formatCount(rate), 'while training')}
      ${tile('Workers', String(workers), formatPlural(spec.shards, 'shard'))}
    </dl>
    <p class="note">Final digest <code>${input.finalDigest}</code></p>
  </header>`;
}

function testTiles(test: EvaluationRecord | undefined): Html[] {
  if (!test) return ['Test accuracy', 'Average test loss'].map((name) => tile(name, '–', 'not evaluated'));
  return [
    tile('Test accuracy', formatShare(test.correct / test.total, 2), `${test.correct} of ${test.total}`),
    tile('Average test loss', test.loss.toFixed(4), `after step ${formatCount(test.step)}`),
  ];
}

function tile(name: string, value: string, detail: string): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}<small>${detail}</small></dd>
  </div>`;
}

function digestSection({ digests }: ReportInput, { verify }: PageOptions): Html | undefined {
  if (digests.length === 0) return undefined;
  return html`<section>
    <h2>Digests</h2>
    <p class="note">
      SHA-256 of parameters, optimizer state and running statistics at each epoch's end, chained from the job digest.
      All runs of a job share these digests; <code>digests.jsonl</code> contains them too.
    </p>
    <details>
      <summary>Show ${formatPlural(digests.length, 'digest')}</summary>
      <pre>${digests.map(({ epoch, digest }) => `${String(epoch).padStart(6)}  ${digest}`).join('\n')}</pre>
    </details>
    ${verify && verifyNote(verify)}
  </section>`;
}

function verifyNote(verify: VerifyPage): Html {
  if ('reason' in verify) return html`<p class="note">No page to verify a step in the browser: ${verify.reason}.</p>`;
  const step = formatCount(verify.step);
  return html`<p>
    <a href="verify.html">Verify in your browser</a>: it computes shard ${verify.shard} of step ${step} and compares the
    bits.
  </p>`;
}

function jobSection(input: ReportInput, options: PageOptions): Html {
  const { spec, engine, jobDigest, dataset } = input;
  const versions = options.versions ?? {
    'Node.js': process.version,
    Platform: `${process.platform} ${process.arch}`,
  };
  const rows = {
    Engine: `${engine.name} (${engine.version})`,
    Device: engine.device,
    ...(input.targets.length > 0 && { 'Instruction sets': input.targets.join(', ') }),
    ...(engine.arithmetic === undefined && { Lowering: engine.lowering }),
    ...(engine.threads !== undefined && { 'Threads per worker': String(engine.threads) }),
    Fingerprint: engine.fingerprint,
    ...versions,
    'Job digest': jobDigest,
    'Dataset digest': dataset.digest,
  };
  return html`<section>
    <h2>Job</h2>
    <p class="note">${input.reproducible ? reproduciblePromise : notReproducible}</p>
    <div class="pair">
      <pre>${stringify(spec)}</pre>
      <table>
        ${Object.entries(rows).map(
          ([name, value]) =>
            html`<tr>
              <th>${name}</th>
              <td><code>${value}</code></td>
            </tr>`,
        )}
      </table>
    </div>
  </section>`;
}

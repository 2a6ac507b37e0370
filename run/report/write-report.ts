import { join } from 'node:path';
import { makeDirectory, writeWhole } from '../write-file.js';
import { classAccuracyChart } from './charts/classes.js';
import type { Chart } from './charts/chart.js';
import { confusionChart } from './charts/confusion.js';
import { lossChart, lossData } from './charts/loss.js';
import { confusionCsv, epochsCsv, lossCsv } from './csv.js';
import { renderPage, type PageOptions } from './page.js';
import { loadRenderer, pictureStyle, type ChartRenderer } from './render.js';
import type { ReportInput } from './report-input.js';
import { summarise, type RunSummary } from './summary.js';

export interface WrittenReport {
  /** Path of the page. */
  readonly indexHtml: string;
  /** Paths of all files, the page last. */
  readonly files: string[];
}

const verifyName = 'verify.html';

/**
 * Writes `report/` in a run directory: the page, and its charts and tables as SVG, PNG and CSV.
 *
 * Sections without data (no steps, no evaluation) are omitted, and the page reports that. Each file is complete or
 * absent, and the page comes last.
 * @throws JobError BAD_RUN_DIRECTORY
 */
export async function writeReport(
  runDirectory: string,
  input: ReportInput,
  options: PageOptions = {},
): Promise<WrittenReport> {
  const directory = join(runDirectory, 'report');
  await makeDirectory(directory);
  const renderer = await loadRenderer();
  const summary = summarise(input);
  const files: string[] = [];
  const write = async (name: string, content: string | Uint8Array) => {
    await writeWhole(join(directory, name), content);
    files.push(join(directory, name));
  };
  await writeTables(input, summary, write);
  await writePictures(input, summary, renderer, write);
  if (options.verify && 'html' in options.verify) await write(verifyName, options.verify.html);
  await write('index.html', renderPage(input, summary, renderer, options));
  return { indexHtml: join(directory, 'index.html'), files };
}

type Write = (name: string, content: string | Uint8Array) => Promise<void>;

async function writeTables({ dataset }: ReportInput, summary: RunSummary, write: Write): Promise<void> {
  await write('loss.csv', lossCsv(summary));
  await write('epochs.csv', epochsCsv(summary.epochs));
  if (summary.lastEvaluation) {
    await write('confusion.csv', confusionCsv(summary.lastEvaluation.confusion, dataset.classes));
  }
}

async function writePictures(
  input: ReportInput,
  summary: RunSummary,
  renderer: ChartRenderer,
  write: Write,
): Promise<void> {
  for (const [name, chart] of pictures(input, summary)) {
    const svg = renderer.svg(chart, name);
    await write(`${name}.svg`, svg);
    await write(`${name}.png`, await renderer.png(svg));
  }
}

/** Standalone charts, by file name. */
function pictures({ spec, dataset, evaluations }: ReportInput, summary: RunSummary): [string, Chart][] {
  const style = (what: string) => pictureStyle(`${what}: ${spec.name}, ${dataset.title}`);
  const charts: [string, Chart][] = [];
  if (summary.steps.length > 0) charts.push(['loss', lossChart(lossData(summary, evaluations), style('Loss'))]);
  if (summary.lastEvaluation) {
    const { confusion } = summary.lastEvaluation;
    charts.push(['confusion', confusionChart(confusion, dataset.classes, style('Confusion matrix'))]);
    const accuracy = classAccuracyChart(confusion, dataset.classes, style('Accuracy per class'));
    charts.push(['accuracy-per-class', accuracy]);
  }
  return charts;
}

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { datasetFor } from '../dataset.js';
import { pixels } from '../options/numbers.js';
import { specFrom } from '../options/options.js';
import { refuseUnused } from '../options/unused-flags.js';
import { downloadProgress } from '../terminal/download.js';
import { readCifar10 } from '../../data/cifar10.js';
import type { Dataset } from '../../data/dataset.js';
import { channelStatistics, classCounts, contactSheet } from '../../data/explore.js';
import { openDataset } from '../../data/index.js';
import { installCifar10 } from '../../data/install.js';
import { JobError } from '../../job/errors.js';
import { imageFormatOf } from '../../job/image-format.js';
import { cacheDirectory } from '../../data/cache-directory.js';

/** `lockstep data`: downloads CIFAR-10, describes datasets. */
export function dataCommand(): Command {
  return new Command('data')
    .description('download CIFAR-10, or describe a dataset')
    .addCommand(downloadCommand())
    .addCommand(infoCommand());
}

function downloadCommand(): Command {
  return new Command('download')
    .description(
      'download the official CIFAR-10 (170 MB), check its SHA-256 and unpack it; resumes after an interruption',
    )
    .option('--to <dir>', 'target directory (default: the cache directory, where jobs find it)')
    .option('--from <url>', 'base URL of a mirror, ending in a slash (default: the official host)')
    .action(async (options: { to?: string; from?: string }) => {
      const progress = downloadProgress();
      const baseUrl = options.from === undefined ? {} : { baseUrl: checkUrl(options.from) };
      const found = await installCifar10(resolve(options.to ?? cacheDirectory()), { ...progress, ...baseUrl }).finally(
        progress.stop,
      );
      const { title } = await readCifar10(found);
      console.log(`${title}: ${found.path}`);
    });
}

/** Default side length of a folder's images. */
const usualSize = imageFormatOf({}).height;

function checkUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw new JobError('BAD_OPTION', `--from: expected a URL such as https://mirror.example/, got "${text}"`);
}

interface InfoFlags {
  readonly data?: string;
  readonly folder?: string;
  readonly size?: number;
  readonly synthetic?: boolean;
  readonly json?: boolean;
  readonly sheet?: string;
}

function infoCommand(): Command {
  return new Command('info')
    .description('print images per class, channel means and deviations; write a contact sheet')
    .argument('[job.yaml]', 'job whose data to describe, - for standard input (default: CIFAR-10)')
    .option('--data <path>', 'directory or .tar.gz (default: LOCKSTEP_DATA, ./data, the cache directory)')
    .option(
      '--folder <dir>',
      'directory with one folder of PNG or JPEG images per class, or with train/ and test/ that have these',
    )
    .addOption(
      new Option('--size <n>', `with --folder: resize images to n × n pixels (default: ${usualSize})`).argParser(
        pixels,
      ),
    )
    .option('--synthetic', 'use the synthetic dataset instead of CIFAR-10')
    .option('--json', 'print JSON')
    .option('--sheet <file>', 'write a PNG with ten training images per class, one row per class')
    .action(async (file: string | undefined, flags: InfoFlags, command: Command) => {
      checkSource(file, flags, command);
      const dataset = await open(file, flags);
      const facts = explore(dataset);
      console.log(flags.json === true ? JSON.stringify(facts, null, 2) : describe(facts));
      if (flags.sheet !== undefined) await writeSheet(flags.sheet, contactSheet(dataset));
    });
}

/** @throws JobError BAD_OPTION if two sources are given: one would be ignored. */
function checkSource(file: string | undefined, { folder, synthetic }: InfoFlags, command: Command): void {
  if (file !== undefined)
    refuseUnused(command, ['--folder', '--size', '--synthetic'], `no job file with it, got ${file}`);
  if (folder !== undefined) refuseUnused(command, ['--data', '--synthetic'], 'no --folder with it');
  else refuseUnused(command, ['--size'], '--folder with it');
  if (synthetic === true) refuseUnused(command, ['--data'], 'no --synthetic with it');
}

async function writeSheet(file: string, png: Uint8Array): Promise<void> {
  await writeFile(file, png).catch((cause: Error) => {
    throw new JobError('BAD_OPTION', `--sheet: expected a writable file, got ${cause.message}`, { cause });
  });
}

async function open(file: string | undefined, { data, folder, size, synthetic }: InfoFlags): Promise<Dataset> {
  if (file !== undefined) return datasetFor(await specFrom(file, { set: [] }), { data });
  if (folder !== undefined) {
    const image = { ...imageFormatOf({}), height: size ?? usualSize, width: size ?? usualSize };
    return openDataset({ dataset: 'folder', path: folder, cwd: process.cwd(), folder: { format: image } });
  }
  const envPath = process.env['LOCKSTEP_DATA'];
  return openDataset({
    dataset: synthetic === true ? 'synthetic' : 'cifar10',
    ...(data !== undefined && { path: data }),
    ...(envPath !== undefined && { envPath }),
    cwd: process.cwd(),
    download: false,
  });
}

/** Facts printed by `data info`, also as JSON. */
export function explore(dataset: Dataset) {
  const { title, origin, notes = [], classes, imageShape, train, test } = dataset;
  return {
    title,
    ...(origin !== undefined && { origin }),
    notes,
    imageShape,
    trainImages: train.count,
    testImages: test.count,
    classes,
    parts: classCounts(dataset),
    channels: channelStatistics(train, imageShape[2]),
  };
}

/** Formats the facts as text: a table of classes by batches, and the channels. */
export function describe(facts: ReturnType<typeof explore>): string {
  const { title, origin, notes, imageShape, trainImages, testImages, classes, parts, channels } = facts;
  const shape = imageShape.join(' x ');
  const header = ['images per class', ...parts.map(({ part }) => part)];
  const rows = classes.map((name, k) => [name, ...parts.map(({ counts }) => String(counts[k]))]);
  const totals = ['all', ...parts.map(({ total }) => String(total))];
  const numbers = (values: readonly number[]) => values.map((value) => value.toFixed(4));
  const names = imageShape[2] === 3 ? ['red', 'green', 'blue'] : channels.mean.map((_, k) => String(k));
  return [
    title,
    ...(origin === undefined ? [] : [origin]),
    ...notes,
    `${trainImages} training and ${testImages} test images, ${shape}`,
    '',
    ...table([header, ...rows, totals]),
    '',
    ...table([
      ['training pixels, 0 to 1', ...names],
      ['mean', ...numbers(channels.mean)],
      ['deviation', ...numbers(channels.deviation)],
    ]),
  ].join('\n');
}

/** Aligns columns: the first left, the others right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((text, k) => (k === 0 ? text.padEnd(widths[k]!) : text.padStart(widths[k]!))).join('  '),
  );
}

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeReport } from '../../../run/report/write-report.js';
import { CLASSES } from '../../../data/cifar10-format.js';
import { JobError } from '../../../job/errors.js';
import { parseSpec } from '../../../job/spec.js';
import { thorough } from '../../thorough.js';
import { sampleConfusion, sampleEvaluation, sampleInput, sampleSteps } from './sample.js';

const pictures = ['accuracy-per-class', 'confusion', 'loss'];

let directory: string;
const makeDirectory = async () => (directory = await mkdtemp(join(tmpdir(), 'lockstep-report-')));
const removeDirectory = () => rm(directory, { recursive: true, force: true });

const read = (name: string) => readFile(join(directory, 'report', name), 'utf8');

/** Text of a page without its tags, white space collapsed. */
const textOf = (page: string) =>
  page
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

describe('report of a finished run', () => {
  let written: Awaited<ReturnType<typeof writeReport>>;
  beforeAll(async () => {
    await makeDirectory();
    written = await writeReport(directory, sampleInput(), { versions: { Lockstep: '9.8.7' } });
  });
  afterAll(removeDirectory);

  test('consists of the page and its pictures and tables, and leaves nothing else behind', async () => {
    const { indexHtml, files } = written;
    const names = [...pictures.flatMap((name) => [`${name}.png`, `${name}.svg`])];
    const all = [...names, 'confusion.csv', 'epochs.csv', 'index.html', 'loss.csv'].sort();
    expect(files.map((file) => basename(file)).sort()).toEqual(all);
    expect((await readdir(join(directory, 'report'))).sort()).toEqual(all);
    expect(indexHtml).toBe(join(directory, 'report', 'index.html'));
    expect(files.at(-1)).toBe(indexHtml);
  });

  test('shows result, lecture, last images, job and versions in the page', async () => {
    const text = textOf(await read('index.html'));
    for (const part of [
      'cnn3 on CIFAR-10 (JPEG copy) · 137,430 parameters',
      'Test accuracy 73.94 % 7394 of 10000',
      'Average test loss 0.7783 after step 1,435',
      'Duration 1 min 52 s 1,435 steps',
      'Images per second 4,065',
      'Workers 2 5 shards',
      'ef'.repeat(32),
      'has 1,426 values',
      'Most frequent mistakes Actual Predicted Times Share of class cat dog 186 18.6 %',
      'automobile 846 1000 84.6 %',
      '9998 1 automobile 0 airplane',
      '-0.2214',
      'Average test loss 0.7783 1.0609 2.3917',
      'Test accuracy 7394/10000 (74%) 6285/10000 (63%) 7285/10000 (73%)',
      '10,201 after 10 epochs, 102,091 after 100 epochs',
      'Last four true labels 3, 5, 1, 7 3, 5, 1, 7',
      'Predicted 3, 5, 0, 7 3, 5, 0, 7',
      'Train Epoch: 10 [49000/50000 (98%)] Loss: 0.663238',
      'batchPerShard: 49',
      'native (arithmetic 1)',
      'Instruction sets avx512 (the fastest of this processor), wasm (--isa)',
      'Lockstep 9.8.7',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('nothing about CIFAR-10');
  });

  test('refers only to the files next to it, so that it opens from disk without a network', async () => {
    const { files } = written;
    const page = await read('index.html');
    const links = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link);
    expect(new Set(links)).toEqual(
      new Set(files.map((file) => basename(file)).filter((name) => name !== 'index.html')),
    );
    expect(page).not.toMatch(/<script|@import|url\(http|<link/);
  });

  test('holds the matrix in cells whose class stands for their strength', async () => {
    const cells = [...(await read('index.html')).matchAll(/<td class="h(\d+)">(\d+)<\/td>/g)];
    expect(cells.map(([, , count]) => Number(count))).toEqual(sampleConfusion.flat());
    expect(cells[0]?.[1]).toBe(String(Math.round(31 * Math.sqrt(0.781))));
  });

  test('is the same text for the same run', async () => {
    const first = await Promise.all(['index.html', 'loss.svg', 'confusion.svg'].map(read));
    await writeReport(directory, sampleInput(), { versions: { Lockstep: '9.8.7' } });
    expect(await Promise.all(['index.html', 'loss.svg', 'confusion.svg'].map(read))).toEqual(first);
  });

  test('draws PNGs with text and colours on white without fonts of the machine', async () => {
    for (const name of pictures) {
      const bytes = await readFile(join(directory, 'report', `${name}.png`));
      const { width, data, channels } = decode(bytes);
      expect(width).toBeGreaterThanOrEqual(1200);
      expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
      const colours = new Set<number>();
      let darkInTitle = 0;
      for (let i = 0; i < data.length; i += channels) {
        const [red = 0, green = 0, blue = 0] = [data[i], data[i + 1], data[i + 2]];
        colours.add((red << 16) | (green << 8) | blue);
        // The title is in the first 34 CSS pixels, drawn at twice the resolution; its ink is #1c2128.
        if (i < 68 * width * channels && red < 40 && green < 45 && blue < 50) darkInTitle++;
      }
      expect(colours.size).toBeGreaterThan(50);
      expect(darkInTitle).toBeGreaterThan(1000);
    }
  });
});

describe('report of an unusual run', () => {
  beforeEach(makeDirectory);
  afterEach(removeDirectory);

  test('warns loudly that synthetic results are not those of CIFAR-10', async () => {
    const title = 'synthetic dataset (not CIFAR-10)';
    await writeReport(directory, sampleInput({ dataset: { ...sampleInput().dataset, title, synthetic: true } }));
    expect(await read('index.html')).toContain(
      `<p class="banner" role="alert">Results on the ${title}. They say nothing about CIFAR-10.</p>`,
    );
    for (const name of pictures) expect(await read(`${name}.svg`)).toContain(title);
  });

  test('reports that no step was made and nothing was evaluated', async () => {
    const input = sampleInput({ steps: [], evaluations: [], lastTestRows: [], outcome: 'stopped', seconds: 0 });
    const { files } = await writeReport(directory, input);
    expect(files.map((file) => basename(file))).toEqual(['loss.csv', 'epochs.csv', 'index.html']);
    expect(await read('loss.csv')).toBe('step,epoch,loss,running_mean_10\n');
    const text = textOf(await read('index.html'));
    expect(text).toContain('Stopped after step 0 of 1,435.');
    expect(text).toContain('No steps.');
    expect(text).toContain('Not evaluated.');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('shows the curve but no matrix if it was stopped before the first evaluation', async () => {
    const input = sampleInput({ steps: sampleSteps(5, 205, 245), evaluations: [], outcome: 'stopped' });
    const { files } = await writeReport(directory, { ...input, lastTestRows: [] });
    const names = files.map((file) => basename(file));
    expect(names).toEqual(['loss.csv', 'epochs.csv', 'loss.svg', 'loss.png', 'index.html']);
    const text = textOf(await read('index.html'));
    expect(text).toContain('has 0 values.');
    expect(text).toContain('The last epoch is incomplete.');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('escapes what comes from spec, dataset and engine, in page and pictures', async () => {
    const nasty = `<script>alert("1")</script>&'`;
    const { spec, dataset, engine } = sampleInput();
    await writeReport(
      directory,
      sampleInput({
        spec: { ...spec, name: nasty, model: nasty },
        dataset: { ...dataset, title: nasty, classes: CLASSES.map((name) => `${name}${nasty}`), digest: nasty },
        engine: { ...engine, version: nasty, device: nasty },
        ...{ jobDigest: nasty, finalDigest: nasty },
      }),
      { versions: { [nasty]: nasty } },
    );
    const page = await read('index.html');
    expect(page).toContain('<h1>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</h1>');
    for (const text of [page, ...(await Promise.all(pictures.map((name) => read(`${name}.svg`))))]) {
      expect(text).not.toContain('<script');
    }
  });

  test('keeps a name that looks like one of the chart library', async () => {
    await writeReport(directory, sampleInput({ spec: { ...sampleInput().spec, name: 'zr1-run' } }));
    expect(await read('loss.svg')).toContain('>Loss: zr1-run, CIFAR-10 (JPEG copy)</text>');
  });

  test("is rejected with the path and the reason if it can't be written", async () => {
    const file = join(directory, 'occupied');
    await writeFile(file, '');
    const refusal = await writeReport(file, sampleInput()).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(JobError);
    expect(refusal).toMatchObject({ code: 'BAD_RUN_DIRECTORY' });
    expect(String(refusal)).toMatch(/expected to write .*occupied.report, got ENOTDIR/);
  });
});

if (thorough) {
  describe('report of 102,100 steps', () => {
    beforeEach(makeDirectory);
    afterEach(removeDirectory);

    test('stays small, and its table has every step', async () => {
      const [stepsPerEpoch, epochs] = [1021, 100];
      const input = sampleInput({
        spec: parseSpec({ name: 'lecture-cnn3', model: 'cnn3', epochs, shards: 1, batchPerShard: 49 }),
        stepsPerEpoch,
        steps: sampleSteps(stepsPerEpoch * epochs, stepsPerEpoch, 49),
        evaluations: Array.from({ length: epochs }, (_, i) => sampleEvaluation((i + 1) * stepsPerEpoch, stepsPerEpoch)),
      });
      const before = process.memoryUsage().rss;
      const { indexHtml } = await writeReport(directory, input);
      const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20;
      const { size } = await stat(indexHtml);
      expect(size).toBeLessThan(500_000);
      expect(grownMiB).toBeLessThan(250);
      expect(textOf(await read('index.html'))).toContain('has 102,091 values');
      expect((await read('loss.csv')).split('\n').length).toBe(102_100 + 2);
    });
  });
}

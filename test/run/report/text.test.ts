import { html, raw } from 'hono/html';
import { describe, expect, test } from 'vitest';
import { confusionCsv, epochsCsv, formatCsv, lossCsv } from '../../../run/report/csv.js';
import { formatDuration, formatShare } from '../../../run/report/format.js';
import { htmlPage } from '../../../run/report/html-page.js';
import { summarise } from '../../../run/report/summary.js';
import { formatConfusion, formatProgress, formatSummary } from '../../../run/report/terminal.js';
import { CLASSES } from '../../../data/cifar10-format.js';
import { sampleConfusion, sampleEvaluation, sampleInput } from './sample.js';

describe('CSV', () => {
  test('quotes commas, quotes and line breaks and leaves undefined empty', () => {
    expect(
      formatCsv(
        ['a', 'b,c'],
        [
          ['say "x"', undefined],
          ['two\nlines', 0.1],
        ],
      ),
    ).toBe('a,"b,c"\n"say ""x""",\n"two\nlines",0.1\n');
  });

  test('puts each running mean in the row of the last step that it covers', () => {
    const steps = Array.from({ length: 11 }, (_, step) => ({
      ...{ step, epoch: 1, samples: 1, loss: step + 1, correct: 0, learningRate: 1, durationMs: 1, workers: 1 },
    }));
    const lines = lossCsv(summarise(sampleInput({ steps }))).split('\n');
    expect(lines[0]).toBe('step,epoch,loss,running_mean_10');
    expect(lines.slice(9)).toEqual(['8,1,9,', '9,1,10,5.5', '10,1,11,6.5', '']);
  });

  test('has the classes as head and first column of the confusion matrix', () => {
    expect(
      confusionCsv(
        [
          [8, 1],
          [3, 6],
        ],
        ['cat', 'dog, wet'],
      ),
    ).toBe('actual \\ predicted,cat,"dog, wet"\ncat,8,1\n"dog, wet",3,6\n');
  });

  test('has a row for each epoch, with empty fields where no evaluation was made', () => {
    const record = { samples: 4, correct: 1, learningRate: 0.05, durationMs: 250, workers: 1 };
    const steps = [
      { ...record, step: 0, epoch: 1, loss: 2 },
      { ...record, step: 1, epoch: 2, loss: 1.5 },
    ];
    const evaluations = [{ step: 1, epoch: 1, loss: 1.25, correct: 3, total: 4, confusion: [[3, 1]] }];
    expect(epochsCsv(summarise(sampleInput({ stepsPerEpoch: 1, steps, evaluations })).epochs)).toBe(
      'epoch,steps,samples,train_loss,train_accuracy,learning_rate,seconds,images_per_second,test_loss,test_accuracy\n' +
        '1,1,4,2,0.25,0.05,0.25,16,1.25,0.75\n' +
        '2,1,4,1.5,0.25,0.05,0.25,16,,\n',
    );
  });
});

describe('terminal', () => {
  test('prints the confusion matrix aligned, with the accuracy of each class', () => {
    const confusion = [
      [8, 1],
      [10, 6],
    ];
    expect(formatConfusion(confusion, ['cat', 'elephant']).split('\n')).toEqual([
      '         predicted',
      'actual    cat elep accuracy',
      'cat         8    1   88.9 %',
      'elephant   10    6   37.5 %',
    ]);
  });

  test('fits the confusion matrix of CIFAR-10 into 80 columns', () => {
    const lines = formatConfusion(sampleConfusion, CLASSES).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines[5]).toBe('cat          20    9   68  548   55  186   65   31    9    9   54.8 %');
  });

  test('prints progress and result in the lines of the lecture', () => {
    expect(formatProgress({ epoch: 10, seen: 49_000, total: 50_000, loss: 0.663238 })).toBe(
      'Train Epoch: 10 [49000/50000 (98%)]  Loss: 0.663238',
    );
    const evaluation = { ...sampleEvaluation(1435, 205), loss: 1.0609, correct: 6285 };
    expect(formatSummary(sampleInput({ evaluations: [evaluation] })).split('\n')).toEqual([
      'Test set: Average loss: 1.0609, Accuracy: 6285/10000 (63%)',
      'cluster-cnn3 on CIFAR-10 (JPEG copy): 1,435 steps in 1 min 52 s, 4,065 images/s, 2 workers',
      `Final digest: ${'ef'.repeat(32)}`,
    ]);
  });

  test('reports first that data was synthetic and that a run was stopped', () => {
    const { dataset } = sampleInput();
    const stopped = sampleInput({
      dataset: { ...dataset, title: 'synthetic dataset (not CIFAR-10)', synthetic: true },
      ...{ outcome: 'stopped', steps: [], evaluations: [], seconds: 0.04, workers: 1 },
    });
    expect(formatSummary(stopped).split('\n').slice(0, 4)).toEqual([
      'NOT CIFAR-10: trained and tested on the synthetic dataset (not CIFAR-10).',
      'Stopped after step 0 of 1435.',
      'Test set: not evaluated',
      'cluster-cnn3 on synthetic dataset (not CIFAR-10): 0 steps in 0.0 s, 1 worker',
    ]);
  });

  test('writes durations in two units at most, and a dash for a share of nothing', () => {
    expect([8.44, 59.96, 112, 7385].map(formatDuration)).toEqual(['8.4 s', '60.0 s', '1 min 52 s', '2 h 3 min']);
    expect([formatShare(0.73614), formatShare(NaN)]).toEqual(['73.6 %', '–']);
  });
});

test('a page escapes every value but HTML, also in lists', () => {
  const list = ['<b>', html`<i>${'&'}</i>`, undefined, 7];
  const page = htmlPage({ title: '</title>', head: raw('<svg/>'), body: html`<p title="${`"'`}">${list}</p>` });
  expect(page).toContain('<title>&lt;/title&gt;</title>');
  expect(page).toContain('<svg/>');
  expect(page).toContain('<p title="&quot;&#39;">&lt;b&gt;<i>&amp;</i>7</p>');
});

import { describe, expect, it } from 'vitest';
import { exitCode } from '../../../cli/commands/watch.js';
import { drawCurve } from '../../../cli/watch/braille.js';
import { PlainLines } from '../../../cli/watch/plain.js';
import { renderWatch } from '../../../cli/watch/view.js';
import type { HistoryReply, StatusReply } from '../../../proto/messages.js';

const worker = {
  workerId: 'w1',
  state: 'computing',
  shards: [0, 1],
  engine: 'arithmetic 1 avx2',
  engineReason: 'no AVX-512',
  silentMs: 1,
  residentBytes: 3e8,
  ...{ stepMs: 31.5, sentBytes: 5e6, receivedBytes: 4e6 },
  holding: [],
};
const status: StatusReply = {
  job: 'cluster-cnn3',
  state: 'training',
  reason: 'epoch 2',
  step: 300,
  totalSteps: 1_200,
  epoch: 2,
  epochs: 7,
  loss: 0.75,
  imagesPerSecond: 4_096.5,
  testAccuracy: 0.5,
  generation: 3,
  term: 1,
  workers: [worker],
  audited: 0,
  speculated: 0,
  faults: 0,
  skipped: 0,
  learningRate: 0.05,
  lossMean: 0.875,
  secondsLeft: 61,
  samplesTrained: 73_500,
  testLoss: 1.5,
  testEpoch: 1,
  digest: 'cd'.repeat(32),
  digestEpoch: 1,
  checkpointStep: 205,
  runDirectory: '/data/a',
  model: 'cnn3',
  dataset: 'CIFAR-10',
  synthetic: false,
  waitingFor: [],
  fingerprint: 'ef'.repeat(32),
  device: 'cpu',
};
const history: HistoryReply = {
  steps: [1, 2, 3, 4],
  losses: [4, 3, 2, 1],
  evaluations: [],
  notes: [{ timeMs: 0, text: 'worker w2 lost: \x1b[2J silent' }],
};
const plain = (_: string, text: string) => text;

describe('a curve in braille', () => {
  it('goes from the greatest value, top left, to the least, bottom right', () => {
    const { rows, top, bottom } = drawCurve(
      [
        { x: 0, y: 7 },
        { x: 7, y: 0 },
      ],
      4,
      2,
    );
    expect(rows).toEqual(['⠑⢄⠀⠀', '⠀⠀⠑⢄']);
    expect([top, bottom]).toEqual([7, 0]);
  });

  it('is a line along the top where all values are equal, and empty without points', () => {
    expect(
      drawCurve(
        [
          { x: 0, y: 1 },
          { x: 9, y: 1 },
        ],
        3,
        1,
      ).rows,
    ).toEqual(['⠉⠉⠉']);
    expect(drawCurve([], 2, 1).rows).toEqual(['⠀⠀']);
  });
});

describe('the screen of watch', () => {
  const lines = (columns: number, rows: number, away?: string) =>
    renderWatch({ status, history, away }, { columns, rows }, plain);

  it('shows state, progress, curve, results, workers and events', () => {
    const text = lines(100, 40).join('\n');
    expect(text).toContain('cluster-cnn3: cnn3 on CIFAR-10\ntraining: epoch 2\n');
    expect(text).toContain(`${'█'.repeat(15)}${'░'.repeat(45)}  25.0 %`);
    expect(text).toContain('epoch 2/7, step 300/1,200, 73,500 samples, 1 min 1 s left');
    expect(text).toContain('loss 0.7500, mean of 10 steps 0.8750, learning rate 0.05, 4,097 images/s');
    expect(text).toContain('test after epoch 1: average loss 1.5000, accuracy 50.0 %');
    expect(text).toContain('digest of epoch 1 cdcdcdcdcdcdcdcd, checkpoint after step 205, in /data/a');
    expect(text).toMatch(/ 4\.000 ┤[\u2800-\u28ff]+\n/);
    expect(text).toMatch(/ 1\.000 ┤[\u2800-\u28ff]+\n +step 1 +4\n/);
    expect(text).toContain('  w1  computing  shards 0 1  arithmetic 1 avx2  300 MB');
    expect(text).toContain('q or Ctrl-C quits; the run continues');
  });

  it.each([
    [100, 40],
    [60, 24],
    [30, 12],
    [8, 3],
  ])('fits into %i columns and %i rows', (columns, rows) => {
    const drawn = lines(columns, rows);
    expect(drawn.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...drawn.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
  });

  it('strips cursor movements', () => {
    const shown = lines(100, 40).find((line) => line.includes('w2 lost'))!;
    expect(shown).toMatch(/^\d\d:\d\d:\d\d {2}worker w2 lost: {2}silent$/);
  });

  it('keeps its content while the coordinator is unavailable, and says so', () => {
    expect(lines(100, 40, 'no answer for 3 s')[1]).toBe('DISCONNECTED: no answer for 3 s');
    const first = renderWatch(
      { status: undefined, history: undefined, away: undefined },
      { columns: 80, rows: 24 },
      plain,
    );
    expect(first[0]).toBe('connecting to the coordinator…');
  });
});

describe('watching line by line', () => {
  it('prints every change of state at once, the rest every 10 s, and each note once', () => {
    const printed: string[] = [];
    const lines = new PlainLines((line) => printed.push(line));
    lines.status(status, 0);
    lines.status({ ...status, step: 301 }, 1_000);
    lines.status({ ...status, state: 'paused', reason: 'on request', step: 302 }, 2_000);
    lines.status({ ...status, state: 'paused', step: 303 }, 11_900);
    lines.status({ ...status, state: 'paused', reason: 'on request', step: 304 }, 12_000);
    expect(printed.map((line) => line.replace(/, 73,500.*/, ''))).toEqual([
      'training: epoch 2/7, step 300/1,200',
      'paused (on request): epoch 2/7, step 302/1,200',
      'paused (on request): epoch 2/7, step 304/1,200',
    ]);
    lines.notes(history);
    lines.notes({ ...history, notes: [...history.notes, { timeMs: 1, text: 'second' }] });
    expect(printed.slice(3).map((line) => line.slice(10, 22))).toEqual(['worker w2 lo', 'second']);
  });
});

describe('the exit code of watch', () => {
  it.each([
    ['finished', undefined, 0],
    ['failed', undefined, 1],
    ['stopped', undefined, 130],
    ['training', 'quit', 0],
    ['training', 'interrupted', 130],
  ] as const)('of a run that is %s, left by %s, is %i', (state, left, code) => {
    expect(exitCode({ status: { ...status, state }, left })).toBe(code);
  });
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { RunView } from '../../../coordinator/state/run-view.js';
import { type RunEvent, RunEvents } from '../../../coordinator/state/events.js';
import type * as StartModule from '../../../observe/tensorboard/start.js';
import { within } from '../../proto/wire.js';
import { built } from '../../coordinator/built.js';
import { sampleRun } from '../sample-run.js';

const { startTensorboard } = await built<typeof StartModule>('observe/tensorboard/start.js');

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lockstep-tensorboard-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
});

/** A run for which TensorBoard files are written. */
function run(view: Promise<Partial<RunView>> = Promise.resolve({})) {
  const events = new RunEvents();
  const seen: RunEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const { view: whole } = sampleRun(path);
  const tensorboard = startTensorboard({ events, view: async () => ({ ...whole, ...(await view) }) });
  const notes = () => seen.flatMap((event) => (event.type === 'note' ? [event.message] : []));
  return { events, tensorboard, notes };
}

const step = (n: number) => ({
  type: 'step' as const,
  record: { step: n, epoch: 1, samples: 4, loss: 1, correct: 1, learningRate: 0.1, durationMs: 9, workers: 1 },
});
const files = () => readdirSync(join(path, 'tensorboard')).sort();

it('has written every event when it is closed, and gives each start a file that sorts after earlier ones', async () => {
  for (const start of [1, 2, 3]) {
    const { events, tensorboard, notes } = run();
    await new Promise(setImmediate);
    events.emit(step(0));
    await within(tensorboard.close(), 'the file to be complete');
    expect(notes()).toEqual([]);
    expect(files()).toHaveLength(start);
    const last = readFileSync(join(path, 'tensorboard', files().at(-1)!), 'latin1');
    expect(last).toContain('brain.Event:2');
    expect(last.split('train/loss')).toHaveLength(2);
  }
});

it("reports once that it can't write, and the run continues", async () => {
  writeFileSync(join(path, 'tensorboard'), 'in the way');
  const { events, tensorboard, notes } = run();
  await new Promise(setImmediate);
  events.emit(step(0));
  await within(tensorboard.close(), 'the file to be complete');
  events.emit(step(1));
  expect(notes()).toEqual([
    expect.stringMatching(
      /^tensorboard: expected to write \S+tensorboard, got EEXIST.*; the run continues without it$/,
    ),
  ]);
});

it('is closed at once when the job could not be prepared', async () => {
  mkdirSync(join(path, 'unused'));
  const { tensorboard, notes } = run(Promise.reject(new Error('bad data')));
  await within(tensorboard.close(), 'the file to be complete');
  expect(readdirSync(path)).toEqual(['unused']);
  expect(notes()).toEqual([]);
});

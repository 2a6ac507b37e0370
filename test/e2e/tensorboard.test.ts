import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { EvaluationEntry } from '../../run/records.js';
import { parseSteps } from '../../run/record-format.js';
import { Command, lockstep, scratchDirectory, smallJob } from './lockstep.js';
import { python, runPython, needsPython } from './python.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

interface Point {
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** A scalar, a text; of a picture: width, height, how many, its first eight bytes in hexadecimal, its length. */
  readonly value: number | string | readonly (number | string)[];
}
type Tags = Readonly<Record<string, { readonly plugin: string; readonly points: readonly Point[] }>>;

/** A run's contents as TensorBoard itself reads them. */
async function readWithTensorboard(run: string): Promise<Tags> {
  const script = fileURLToPath(new URL('./read_events.py', import.meta.url));
  return JSON.parse(await runPython([script, join(run, 'tensorboard')])) as Tags;
}

/** Three epochs of 21 steps, with a checkpoint every five. */
const job = [...smallJob, '--epochs', '3', '--set', 'checkpoint.everySteps=5', '--workers', '1', '--tensorboard'];
const lines = <Line>(run: string, name: string) =>
  readFileSync(join(run, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const stepsOf = (run: string) => parseSteps(readFileSync(join(run, 'steps.csv'), 'utf8'));
const points = (tags: Tags, tag: string) => (tags[tag]?.points ?? []).map(({ step, value }) => [step, value]);

/** Each value of the run's records once, at its step, as 32-bit floats. */
function expectWhole(run: string, tags: Tags): void {
  const steps = stepsOf(run);
  expect(steps).toHaveLength(63);
  const ofSteps = (value: (step: (typeof steps)[number]) => number) =>
    steps.map((step) => [step.step + 1, Math.fround(value(step))]);
  // The records have 9 digits, so the nearest 32-bit float may be the next one.
  const losses = points(tags, 'train/loss');
  expect(losses.map(([step]) => step)).toEqual(steps.map(({ step }) => step + 1));
  steps.forEach(({ loss }, i) => expect((losses[i]![1] as number) / loss).toBeCloseTo(1, 6));
  expect(points(tags, 'train/accuracy')).toEqual(ofSteps(({ correct, samples }) => correct / samples));
  expect(points(tags, 'train/learning_rate')).toEqual(ofSteps(({ learningRate }) => learningRate));
  const rate = ({ samples, durationMs }: (typeof steps)[number]) => (1000 * samples) / durationMs;
  const rates = points(tags, 'train/images_per_second').map(([, value]) => value as number);
  steps.forEach((step, i) => expect(rates[i]! / rate(step)).toBeCloseTo(1, 1));
  const tests = lines<EvaluationEntry>(run, 'evaluations.jsonl').map(({ record }) => record);
  expect(points(tags, 'test/loss')).toEqual(tests.map(({ step, loss }) => [step, Math.fround(loss)]));
  const accuracies = tests.map(({ step, correct, total }) => [step, Math.fround(correct / total)]);
  expect(points(tags, 'test/accuracy')).toEqual(accuracies);
  const digests = lines<{ epoch: number; step: number; digest: string }>(run, 'digests.jsonl');
  const texts = digests.map(({ epoch, step, digest }) => [step, `epoch ${epoch}: \`${digest}\``]);
  expect(points(tags, 'digest')).toEqual(texts);
}

function expectPictures(tags: Tags): void {
  expect(tags['confusion']?.plugin).toBe('images');
  expect(points(tags, 'confusion').map(([step]) => step)).toEqual([21, 42, 63]);
  for (const [, value] of points(tags, 'confusion')) {
    const [width, height, count, head, length] = value as [number, number, number, string, number];
    expect([width, height, count, head]).toEqual([1400, 1444, 1, '89504e470d0a1a0a']);
    expect(length).toBeGreaterThan(20_000);
  }
}

function expectAscendingTimes(tags: Tags): void {
  const times = tags['train/loss']!.points.map(({ wallTime }) => wallTime);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(Math.abs(times.at(-1)! - Date.now() / 1000)).toBeLessThan(120);
}

describe.skipIf(python === undefined)(`--tensorboard ${needsPython}`, () => {
  it('writes what TensorBoard reads: after the coordinator was killed and resumed, each value of the run once', async () => {
    const run = join(scratch.path, 'killed');
    const first = new Command(['train', ...job, '--run', run]);
    try {
      await first.until(/Train Epoch: 2/);
    } finally {
      await first.kill();
    }
    const ended = await lockstep(['train', '--resume', run, '--workers', '1', '--tensorboard']);
    expect(ended.stdout).toMatch(/resumed at step [1-9]/);
    expect(ended.code).toBe(0);
    expect(readdirSync(join(run, 'tensorboard'))).toHaveLength(2);
    const tags = await readWithTensorboard(run);
    expectWhole(run, tags);
    expectPictures(tags);
    expectAscendingTimes(tags);
    expect(tags['job']?.plugin).toBe('text');
    expect(points(tags, 'job')[0]![1]).toMatch(/\*\*cluster-cnn3\*\* on synthetic dataset[^]*learningRate: 0\.05/);
  });
});

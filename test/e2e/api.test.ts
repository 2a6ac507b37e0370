import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as Api from '../../cli/api.js';
import { built } from '../coordinator/built.js';
import { within } from '../proto/wire.js';
import { childrenOf, isAlive, scratchDirectory } from './lockstep.js';

const { describeDataset, describeModel, loadDataset, openRun, Picture, train, TrainError, trainingImages } =
  await built<typeof Api>('cli/api.js');

const scratch = scratchDirectory();
afterAll(scratch.remove);

const data = { synthetic: true, limit: 205 };
const small = { ...data, workers: 1, set: { batchPerShard: 10, epochs: 1, 'evaluation.batch': 100 } };
const magic = '89504e470d0a1a0a';
const headOf = (picture: Api.Picture) => Buffer.from(picture.png.subarray(0, 8)).toString('hex');

describe('a training by the library', () => {
  const lines: string[] = [];
  let run: Api.Run;
  beforeAll(async () => {
    run = await train({ ...small, run: join(scratch.path, 'run'), onLine: (line) => lines.push(line) });
  });

  it("passes on the command's lines as they come, and reads the run", async () => {
    expect(lines).toContain(`Final digest: ${run.finalDigest}`);
    expect(run).toMatchObject({ outcome: 'finished', job: { spec: { name: 'cluster-cnn3', epochs: 1 } } });
    expect(run.steps.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, step) => step));
    expect(run.digests).toEqual([{ epoch: 1, step: 21, digest: run.finalDigest }]);
    expect((await openRun(run.directory)).finalDigest).toBe(run.finalDigest);
  });

  it('tests the model from its file: the figures of the run, the last images, the mistakes', async () => {
    const dataset = await loadDataset(data);
    const tested = await run.test(dataset);
    const { record, testRows } = run.evaluations.at(-1)!;
    expect(tested.confusion).toEqual(record.confusion);
    expect(tested.loss).toBeCloseTo(record.loss, 4);
    expect(tested.summary).toMatch(`Accuracy: ${record.correct}/205`);
    expect(tested.lastRows.map(({ predicted, label }) => [predicted, label])).toEqual(
      testRows.map(({ predicted, label }) => [predicted, label]),
    );
    expect(headOf(tested.lastImages())).toBe(magic);
    const [worst] = tested.mistakes(1, 3).caption.split('\n');
    const [, actual, predicted, count] = /^(\w+) predicted as (\w+): (\d+) \(/.exec(worst!)!;
    const classes = dataset.classes;
    expect(record.confusion[classes.indexOf(actual!)]![classes.indexOf(predicted!)]).toBe(Number(count));
  });

  it("refuses to test on data other than the run's", async () => {
    const other = await loadDataset({ synthetic: true, limit: 100 });
    await expect(run.test(other)).rejects.toThrow(/test: expected the run's dataset, .* 205 images .* 100 images/);
  });

  it('has the pictures of the report, as a notebook shows them', async () => {
    const picture = await run.picture('confusion');
    const shown = (picture as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for('Jupyter.display')]!;
    const { 'image/png': png, 'text/plain': text } = shown.call(picture);
    expect(Buffer.from(png!, 'base64').subarray(0, 8).toString('hex')).toBe(magic);
    expect(text).toMatch(/^confusion: cluster-cnn3, synthetic dataset/);
  });
});

it("throws the command's error when there is no result", async () => {
  const failed = train({ ...small, set: { shards: 0 }, run: join(scratch.path, 'bad'), onLine: () => undefined });
  await expect(failed).rejects.toThrow(/train: expected a finished run, got exit code 2: lockstep: [^]*shards/);
  await expect(failed).rejects.toBeInstanceOf(TrainError);
});

it('refuses an option that it does not know before anything is started', async () => {
  const run = join(scratch.path, 'unknown-option');
  const options = { ...data, run, epochs: 1 };
  await expect(train(options)).rejects.toThrow(/^train: unknown option epochs; did you mean set: { epochs: 1 }\?$/);
  await expect(openRun(run)).rejects.toThrow('ENOENT');
  await expect(loadDataset({ ...data, limits: 5 } as never)).rejects.toThrow(TypeError);
  expect(() => trainingImages(loadDataset(data) as never)).toThrow('write await loadDataset()');
});

it('describes data and network', async () => {
  const dataset = await loadDataset(data);
  expect(describeDataset(dataset)).toMatch(/1025 training and 205 test images, 32 x 32 x 3/);
  expect(headOf(trainingImages(dataset, { perClass: 2 }))).toBe(magic);
  expect(trainingImages(dataset)).toBeInstanceOf(Picture);
  expect(await describeModel('cnn3', dataset)).toMatch(/conv1 \(Conv2D\)[^]*Total params: 137654/);
  await expect(describeModel('cnn9', dataset)).rejects.toThrow(
    /model: expected one of cnn3, cnn4, resnet20, mlp, got "cnn9"/,
  );
});

it('leaves no process behind when the program that trains is killed', async () => {
  const project = join(scratch.path, 'project');
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), join(project, 'node_modules', 'lockstep'));
  const options = { ...small, set: { ...small.set, epochs: 1000 }, run: join(scratch.path, 'orphan') };
  const script = `import { train } from 'lockstep'; await train(${JSON.stringify(options)});`;
  writeFileSync(join(project, 'program.mjs'), script);
  const program = execFile(process.execPath, [join(project, 'program.mjs')]);
  const printed = new Promise((resolve) =>
    program.stdout!.on('data', (text: string) => text.includes('Epoch: 2') && resolve(text)),
  );
  await within(printed, 'the second epoch', 60_000);
  const [command] = await childrenOf(program.pid!);
  const all = [command!, ...(await childrenOf(command!))];
  try {
    expect(all).toHaveLength(2);
    program.kill('SIGKILL');
    await expect.poll(() => all.filter(isAlive), { timeout: 60_000 }).toEqual([]);
  } finally {
    program.kill('SIGKILL');
    for (const pid of all.filter(isAlive)) process.kill(pid, 'SIGKILL');
  }
});

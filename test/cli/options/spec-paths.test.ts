import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { specFrom } from '../../../cli/options/options.js';
import { chooseRun } from '../../../cli/runs/run-choice.js';
import { temporaryDirectory } from '../../data/small-cifar10.js';

async function specFile(text: string): Promise<{ directory: string; file: string }> {
  const directory = await temporaryDirectory();
  mkdirSync(join(directory, 'jobs'));
  const file = join(directory, 'jobs', 'job.yaml');
  writeFileSync(file, `name: mine\nshards: 1\nbatchPerShard: 4\nepochs: 1\n${text}`);
  return { directory, file };
}

const chosen = { set: [], runs: 'runs' };

describe('the places that a spec file names', () => {
  it("are relative to the file's folder, model and data alike", async () => {
    const { directory, file } = await specFile('model: ./net.mjs\ndata: {dataset: folder, path: ../shapes}\n');
    const { model, data } = await specFrom(relative('.', file), { set: [] });
    expect(resolve(model)).toBe(join(directory, 'jobs', 'net.mjs'));
    expect(data.path).toBe(join(directory, 'shapes'));
  });

  it('are kept if absolute', async () => {
    const { file } = await specFile('model: mlp\ndata: {dataset: folder, path: /data/shapes}\n');
    expect((await specFrom(file, { set: [] })).data.path).toBe('/data/shapes');
  });

  it('are overridden by those of flags, which are relative to the current folder and absolute in the job', async () => {
    const { directory, file } = await specFile('model: mlp\ndata: {dataset: folder, path: shapes}\n');
    const pathOf = async (flags: object) => (await chooseRun(file, { ...chosen, ...flags })).spec.data.path;
    expect(await pathOf({})).toBe(join(directory, 'jobs', 'shapes'));
    expect(await pathOf({ set: ['data.path=other'] })).toBe(resolve('other'));
    expect(await pathOf({ data: 'mine' })).toBe(resolve('mine'));
  });

  it("need no data section, and don't add a location to other datasets", async () => {
    const { file } = await specFile('model: mlp\n');
    const { spec } = await chooseRun(file, { ...chosen, data: 'cifar' });
    expect(spec.data).toMatchObject({ dataset: 'cifar10' });
    expect(spec.data.path).toBeUndefined();
  });
});

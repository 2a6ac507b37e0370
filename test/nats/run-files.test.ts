import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storedName } from '../../nats/payloads.js';
import { objectChunkBytes } from '../../nats/payloads.js';
import { RunFiles, sha256Of } from '../../nats/run-files.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'lockstep-files-'));
  for (const folder of ['checkpoints', 'model', 'report']) mkdirSync(join(base, folder));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const write = (name: string, content: string | Uint8Array) => writeFileSync(join(base, name), content);
function aRun(): void {
  write('job.json', '{}');
  write('run.json', '{}');
  write('checkpoints/step-00000005.safetensors', 'five');
  write('checkpoints/step-00000010.safetensors.99.part', 'half of ten');
  write('steps.csv', new Uint8Array(2 * objectChunkBytes + 5).fill(1));
  write('log.jsonl', 'not for the store');
  write('model/model.onnx', 'model');
}

/** Collects chunks and records which were new. */
async function collect(files: RunFiles, withResults: boolean) {
  const kept: number[] = [];
  const found = await files.collect(withResults, (sha256, bytes) => {
    expect(sha256Of(bytes)).toBe(sha256);
    kept.push(bytes.length);
    return Promise.resolve();
  });
  return { found, kept };
}

describe('the files of a run for the store', () => {
  it('are none if there is no run to resume', async () => {
    write('run.json', '{}');
    write('checkpoints/step-00000000.safetensors', 'first');
    expect((await collect(new RunFiles(base), false)).found).toBeUndefined();
  });

  it('are records and checkpoints in chunks, and model and report at the end; no log and nothing half-written', async () => {
    aRun();
    const files = new RunFiles(base);
    const { found, kept } = await collect(files, false);
    expect(found!.map(({ name, size, parts }) => [name, size, parts.length])).toEqual([
      ['job.json', 2, 1],
      ['run.json', 2, 1],
      ['steps.csv', 2 * objectChunkBytes + 5, 3],
      ['checkpoints/step-00000005.safetensors', 4, 1],
    ]);
    expect(kept).toEqual([2, 2, objectChunkBytes, objectChunkBytes, 5, 4]);
    expect((await collect(files, true)).found!.at(-1)!.name).toBe('model/model.onnx');
  });

  it('are read again only where they have changed, and growing ones only at their end', async () => {
    aRun();
    const files = new RunFiles(base);
    await collect(files, false);
    expect((await collect(files, false)).kept).toEqual([]);
    appendFileSync(join(base, 'steps.csv'), 'more');
    write('checkpoints/step-00000010.safetensors', 'tenth');
    expect((await collect(files, false)).kept).toEqual([9, 5]);
  });
});

describe('names of files that come from the store', () => {
  it.each([
    '../job.json',
    '/etc/passwd',
    'checkpoints/../../x',
    'checkpoints/step-1.safetensors',
    'report/../../x',
    'report/.hidden',
    'model//x',
    'log.jsonl',
    '.lock',
    'run.json\n',
    'report/a/b/c/d.svg',
  ])('%j is refused', (name) => expect(storedName.test(name)).toBe(false));

  it.each([
    'job.json',
    'predictions.csv',
    'checkpoints/step-00000005.safetensors',
    'report/a/loss.svg',
    'model/model.json',
  ])('%s is accepted', (name) => expect(storedName.test(name)).toBe(true));
});

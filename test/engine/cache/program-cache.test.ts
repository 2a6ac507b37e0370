import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry } from '../../../engine/cache/entry.js';

import { decideEviction, ProgramCache } from '../../../engine/cache/program-cache.js';
import { describeModel } from '../../../engine/model/model.js';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';
import { compileEachTime, throughCache } from '../../../engine/onnx/program-source.js';
import type { ProgramRequest } from '../../../engine/onnx/program-request.js';
import { builtinTopology } from '../../../job/models.js';
import { probeInput } from '../../../worker/fingerprint.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-cache-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const imageShape = [16, 16, 3] as const;
const normalise = { mean: [0.5, 0.4, 0.3], deviation: [0.25, 0.25, 0.25] };
const spec = { topology: builtinTopology('cnn3', imageShape, 10), imageShape, classes: 10, normalise } as const;
const request = (batch: number, mode: 'train' | 'evaluate' = 'train'): ProgramRequest => ({
  kind: 'program',
  target: 'portable',
  spec: { ...spec, batch, mode },
});
const files = () => readdir(directory).then((names) => names.sort());
const program = { bytes: new TextEncoder().encode('\n a program\n'), parameterCount: 7, stateCount: 2, masks: [] };

describe('a cached program', () => {
  it('is the compiled one, and is not compiled again', async () => {
    const source = throughCache(await ProgramCache.open(directory));
    const compiled = await source(request(3));
    expect(compiled).toEqual(await compileEachTime(request(3)));
    const [name] = await files();
    const key = name!.slice(name!.indexOf('-') + 1, -'.program'.length);
    expect(decodeEntry(key, await readFile(join(directory, name!)))?.bytes).toEqual(compiled.bytes);
    await writeFile(join(directory, name!), Buffer.concat(encodeEntry(key, program)));
    expect(await throughCache(await ProgramCache.open(directory))(request(3))).toEqual(program);
  });

  it('is found by all of its inputs', async () => {
    const source = throughCache(await ProgramCache.open(directory));
    await source(request(3));
    await source(request(2));
    await source(request(3, 'evaluate'));
    await source({
      kind: 'program',
      target: 'portable',
      spec: { ...spec, normalise: { ...normalise, mean: [0, 0, 0] }, batch: 3, mode: 'train' },
    });
    expect(await files()).toHaveLength(4);
    await source(request(2));
    expect(await files()).toHaveLength(4);
  });

  it('is compiled and written again when a bit of its file is wrong, or its end is missing', async () => {
    const cache = await ProgramCache.open(directory);
    await cache.store('ab', program);
    const path = join(directory, (await files())[0]!);
    const whole = await readFile(path);
    for (let i = 0; i < whole.length; i++) {
      const damaged = Uint8Array.from(whole);
      damaged[i]! ^= 1;
      expect(decodeEntry('ab', damaged), `byte ${i}`).toBeUndefined();
      expect(decodeEntry('ab', whole.subarray(0, i)), `cut off at ${i}`).toBeUndefined();
    }
    expect(decodeEntry('ac', whole)).toBeUndefined();
    const messages: string[] = [];
    const source = throughCache(await ProgramCache.open(directory, (message) => messages.push(message)));
    const compiled = await source(request(3));
    const name = (await files()).find((file) => !path.endsWith(file))!;
    await writeFile(join(directory, name), 'null\n');
    expect(await source(request(3))).toEqual(compiled);
    expect(messages).toEqual([expect.stringMatching(/^compile cache: expected a valid file, got a damaged one/)]);
    expect(await source(request(3))).toEqual(compiled);
    expect(messages).toHaveLength(1);
  });
});

describe('the cache', () => {
  it('removes the least recently used entries when it has grown over its limit', async () => {
    const cache = await ProgramCache.open(
      directory,
      undefined,
      3 * encodeEntry('a', program).reduce((n, part) => n + part.length, 0),
    );
    for (const [i, key] of ['a', 'b', 'c'].entries()) {
      await cache.store(key, program);
      const path = join(
        directory,
        (await files()).find((name) => name.endsWith(`-${key}.program`))!,
      );
      await utimes(path, 1000 + i, 1000 + i);
    }
    expect(await cache.load('a')).toEqual(program);
    await cache.store('d', program);
    expect((await files()).map((name) => name.slice(-9, -8))).toEqual(['a', 'c', 'd']);
    expect(decideEviction([{ name: 'x', bytes: 5, usedMs: 1 }], 4)).toEqual(['x']);
  });

  it("reports once that it can't be written, and programs are compiled all the same", async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const messages: string[] = [];
    const cache = await ProgramCache.open(join(file, 'programs'), (message) => messages.push(message));
    const source = throughCache(cache);
    expect((await source(request(3))).bytes.length).toBeGreaterThan(1000);
    await source(request(2));
    expect(messages).toEqual([expect.stringMatching(/ENOTDIR.*compiling programs each time$/)]);
  });

  it('changes no bit of what an engine computes', async () => {
    const layout = await describeModel(spec.topology);
    const shapes = { ...layout, dataset: { imageShape: [...imageShape], classes: new Array(10).fill('') } };
    const results = async (cacheDirectory?: string) => {
      const engine = await createOnnxEngine({ device: 'cpu', cacheDirectory });
      const train = await engine.compileTrain({ ...spec, batch: 20, mode: 'train' });
      const evaluate = await engine.compileEvaluate({ ...spec, batch: 20, mode: 'evaluate' });
      const input = probeInput(20, shapes as never);
      const output = { ...(await train.run(input)), ...(await evaluate.run(input)), info: engine.info };
      await Promise.all([train.dispose(), evaluate.dispose()]);
      return output;
    };
    const without = await results();
    const cold = await results(directory);
    expect(await readdir(directory)).toHaveLength(2);
    expect(cold).toEqual(without);
    expect(await results(directory)).toEqual(without);
  });
});

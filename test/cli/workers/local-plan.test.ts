import { describe, expect, it } from 'vitest';
import {
  decideCount,
  decideGpus,
  decideWorkers,
  describePlan,
  type RequestedEngine,
} from '../../../cli/workers/local-plan.js';
import { planLocalWorkers } from '../../../cli/workers/plan-local-workers.js';
import { resolveSpec } from '../../../job/resolve.js';

const engine = (device = 'auto', name: RequestedEngine['name'] = 'onnx'): RequestedEngine => ({
  name,
  device,
});
const gpus = ['0', '1', '2'].map((device) => ({ device, name: 'NVIDIA H200' }));
const room = { physicalCores: 8, usableCores: 16, shards: 5, threads: 1 };

describe('the number of local workers on CPUs', () => {
  it.each([
    [8, 16, 5, 1, 5],
    [2, 4, 5, 1, 2],
    [2, 1, 5, 1, 1],
    [64, 3, 5, 1, 3],
    [4, 4, 1, 1, 1],
    [0, 4, 5, 1, 1],
    [8, 16, 5, 2, 4],
    [3, 3, 5, 2, 1],
    [1, 2, 5, 2, 1],
  ])('with %i physical cores, %i usable, %i shards and %i threads each is %i', (...cores) => {
    const [physicalCores, usableCores, shards, threads, workers] = cores;
    expect(decideWorkers({ physicalCores, usableCores, shards, threads })).toBe(workers);
  });
});

describe('if the spec sets', () => {
  it.each([
    ['auto, which is cuda', 'auto', true, 3, 3],
    ['cuda, installed or not: the engine says what is missing', 'cuda', false, 3, 3],
    ['cuda:1, one GPU for all', 'cuda:1', true, 0, 1],
    ['webgpu, one GPU for all', 'webgpu', true, 0, 1],
  ])('%s', (_, device, isInstalled, dealt, workers) => {
    const shared = decideGpus(engine(device), { gpus, isInstalled });
    expect(shared).toEqual(gpus.slice(0, dealt));
    expect(decideCount(engine(device), shared, room)).toBe(workers);
  });

  it('the native engine, GPUs are left alone', () => {
    const wish = engine('auto', 'native');
    expect(decideGpus(wish, { gpus, isInstalled: true })).toEqual([]);
    expect(decideCount(wish, [], room)).toBe(5);
    expect(describePlan(wish, { gpus, isInstalled: true })).toBeUndefined();
  });

  it('cuda on a machine whose driver names no GPU, one worker finds out', () => {
    expect(decideCount(engine('cuda'), [], room)).toBe(1);
  });

  it('fewer shards than there are GPUs, there is no standby', () => {
    expect(decideCount(engine(), gpus, { ...room, shards: 2 })).toBe(2);
  });
});

describe('the user is informed', () => {
  const say = (wish: RequestedEngine, found = gpus, isInstalled = false) =>
    describePlan(wish, { gpus: found, isInstalled });

  it('which GPUs are used', () => {
    expect(say(engine(), gpus, true)).toBe('GPUs: 3 GPUs (NVIDIA H200), one per worker');
  });

  it.each([
    ['where there are none', engine(), []],
    ['with the native engine', engine('auto', 'native'), gpus],
    ['without tfjs-node-gpu', engine('auto', 'tensorflow'), gpus],
  ])('nothing %s', (_, wish, found) => expect(say(wish, found)).toBeUndefined());
});

describe('--workers', () => {
  const { engine } = resolveSpec({ preset: 'cluster-cnn3' });
  const spec = (shards: number) => ({ shards, engine });

  it("auto is at least one and at most the number of shards, by this machine's cores", async () => {
    expect((await planLocalWorkers('auto', spec(1))).count).toBe(1);
    const { count } = await planLocalWorkers('auto', spec(1024));
    expect(Number.isInteger(count) && count >= 1 && count <= 1024).toBe(true);
  });

  it.each([
    ['1', 1],
    ['7', 7],
    ['1024', 1024],
  ])('is %s as given, even beyond the shards', async (text, workers) => {
    expect((await planLocalWorkers(text, spec(1))).count).toBe(workers);
  });

  it.each(['', '0', '-1', '1.5', '1025', 'two', 'Auto', 'NaN'])('is not "%s"', async (text) => {
    await expect(planLocalWorkers(text, spec(5))).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: `--workers: expected auto or a number from 1 to 1024, got "${text}"`,
    });
  });
});

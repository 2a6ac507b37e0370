import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { softwareGpu } from '../programs.js';
import { lockstep, scratchDirectory } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

/** mlp on the synthetic dataset: 2 shards, 5 steps. */
const job = [
  ...['--model', 'mlp', '--shards', '2', '--batch-per-shard', '8', '--epochs', '1', '--workers', '1'],
  ...['--set', 'data.dataset=synthetic', '--set', 'data.limit=16', '--set', 'evaluation.batch=16'],
];

async function train(name: string, ...args: readonly string[]) {
  const run = join(scratch.path, name);
  const { code, stdout, stderr } = await lockstep(['train', ...job, ...args, '--run', run], { ...softwareGpu });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const [header, ...rows] = readFileSync(join(run, 'steps.csv'), 'utf8').trim().split('\n');
  const column = header!.split(',').indexOf('loss');
  return { run, stdout, losses: rows.map((row) => Number(row.split(',')[column])) };
}

const title = "a job with engine.device: webgpu (needs Chromium's SwiftShader)";
describe.skipIf(!softwareGpu)(title, () => {
  it('reports the operators that run on the CPU, proves its bits in two processes, and has the loss curve of the CPU', async () => {
    const gpu = await train('gpu', '--engine', 'onnx', '--device', 'webgpu');
    expect(gpu.stdout).toMatch(/webgpu: 1 of \d+ operators run on the CPU, as webgpu does not support them \(1 Cast\)/);
    const { engine } = JSON.parse(readFileSync(join(gpu.run, 'run.json'), 'utf8')) as { engine: object };
    expect(engine).toMatchObject({ name: 'onnx', device: 'webgpu', lowering: 'im2col' });
    expect(readFileSync(join(gpu.run, 'log.jsonl'), 'utf8')).toContain('two processes computed the same bits');
    const cpu = await train('cpu', '--device', 'cpu');
    expect(gpu.losses).toHaveLength(5);
    gpu.losses.forEach((loss, step) => expect(loss / cpu.losses[step]!).toBeCloseTo(1, 4));
  });
});

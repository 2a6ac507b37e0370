import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../job/spec.js';

const base = { name: 'x', model: 'cnn3', epochs: 1, shards: 1, batchPerShard: 8 };
const parse = (engine: object) => parseSpec({ ...base, engine });

describe('the engine of a spec', () => {
  it.each([
    {},
    { device: 'cpu', threads: 64 },
    { name: 'onnx' },
    { name: 'onnx', lowering: 'im2col' },
    { name: 'onnx', device: 'cuda:7', precision: 'tf32', lowering: 'im2col' },
    { name: 'onnx', device: 'cuda', lowering: 'portable' },
    { name: 'onnx', device: 'webgpu' },
    { name: 'tensorflow', threads: 2 },
  ])('may be %j', (engine) => {
    expect(parse(engine).engine).toMatchObject(engine);
  });

  it.each<[object, string]>([
    [{ device: 'gpu' }, 'engine.device: expected auto, cpu, cuda, cuda:0 (the first GPU), … or webgpu'],
    [{ device: 'cuda:' }, 'engine.device: expected auto, cpu, cuda'],
    [{ threads: 65 }, 'engine.threads'],
    [
      { device: 'webgpu' },
      'engine.device: expected auto or cpu with engine.name: native, the default, got webgpu; set engine.name: onnx for GPUs',
    ],
    [{ lowering: 'im2col' }, 'engine.lowering: expected auto with engine.name: native, the default, got im2col'],
    [{ precision: 'tf32' }, 'engine.precision: expected float32 with engine.name: native, the default, got tf32'],
    [{ lowering: 'nchwc' }, 'engine.lowering'],
    [
      { name: 'onnx', device: 'cpu' },
      'expected auto, cuda, cuda:N or webgpu with engine.name: onnx, got cpu; remove engine.name to compute on CPUs',
    ],
    [{ name: 'onnx', threads: 2 }, 'expected 1 with engine.name: onnx, as a GPU computes, got 2'],
    [{ name: 'onnx', device: 'webgpu', precision: 'tf32' }, 'expected float32 with engine.device: webgpu, got tf32'],
    [
      { name: 'tensorflow', lowering: 'im2col' },
      'engine.lowering: expected auto with engine.name: tensorflow, got im2col',
    ],
    [
      { name: 'tensorflow', device: 'cuda' },
      'expected auto with engine.name: tensorflow, whose package chooses it, got cuda',
    ],
    [{ name: 'tensorflow', threads: 3 }, 'expected 1 or 2 with engine.name: tensorflow, got 3'],
    [
      { name: 'tensorflow', precision: 'tf32' },
      'engine.precision: expected float32 with engine.name: tensorflow, got tf32',
    ],
  ])('may not be %j', (engine, problem) => {
    expect(() => parse(engine)).toThrow(problem);
  });
});

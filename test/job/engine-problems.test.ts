import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../job/spec.js';

const base = { name: 'x', model: 'cnn3', epochs: 1, shards: 1, batchPerShard: 8 };
const parse = (engine: object) => parseSpec({ ...base, engine });

describe('the engine of a spec', () => {
  it.each([
    { device: 'cpu', lowering: 'nchwc' },
    { lowering: 'nchwc' },
    { lowering: 'im2col' },
    { device: 'cuda:7', precision: 'tf32', lowering: 'im2col' },
    { device: 'cuda', lowering: 'portable' },
    { device: 'webgpu' },
    { name: 'tensorflow' },
  ])('may be %j', (engine) => {
    expect(parse(engine).engine).toMatchObject(engine);
  });

  it.each<[object, string]>([
    [{ device: 'gpu' }, 'engine.device: expected auto, cpu, cuda, cuda:0 (the first GPU), … or webgpu'],
    [{ device: 'cuda:' }, 'engine.device: expected auto, cpu, cuda'],
    [{ precision: 'tf32' }, 'engine.precision: expected float32 with engine.device: auto, got tf32'],
    [{ device: 'webgpu', precision: 'tf32' }, 'expected float32 with engine.device: webgpu, got tf32'],
    [
      { device: 'cuda:1', lowering: 'nchwc' },
      'expected auto, im2col or portable with engine.device: cuda:1, got nchwc',
    ],
    [
      { name: 'tensorflow', lowering: 'im2col' },
      'engine.lowering: expected auto with engine.name: tensorflow, got im2col',
    ],
    [
      { name: 'tensorflow', device: 'cuda' },
      'expected auto with engine.name: tensorflow, whose package chooses it, got cuda',
    ],
    [
      { name: 'tensorflow', precision: 'tf32' },
      'engine.precision: expected float32 with engine.name: tensorflow, got tf32',
    ],
  ])('may not be %j', (engine, problem) => {
    expect(() => parse(engine)).toThrow(problem);
  });
});

import type { Tensor4D } from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/engine.js';
import { createTensorflowEngine } from '../../../engine/tensorflow/engine.js';
import { environmentFor } from '../../../engine/tensorflow/environment.js';
import { tf } from '../../../engine/model/tfjs/tf.js';
import { parseSpec } from '../../../job/spec.js';
import { tensorflowDirectory } from '../../programs.js';

describe('engine.name: tensorflow', () => {
  it('is rejected with installation advice if there is no binding', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'lockstep-empty-'));
    const creating = createTensorflowEngine({ threads: 1, directory: empty });
    const named = 'expected @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node to be installed';
    await expect(creating).rejects.toMatchObject({
      code: 'RUNTIME',
      message: expect.stringContaining(named) as string,
    });
    await expect(creating).rejects.toThrow(
      'nor in NODE_PATH; run npm install --ignore-scripts=false @tensorflow/tfjs-node@4.22.0 in the folder where Lockstep is installed',
    );
    rmSync(empty, { recursive: true });
  });

  it('asks for determinism, full precision, and the threads of the spec', () => {
    expect(environmentFor(2)).toMatchObject({
      TF_DETERMINISTIC_OPS: '1',
      TF_CUDNN_DETERMINISTIC: '1',
      NVIDIA_TF32_OVERRIDE: '0',
      TF_NUM_INTRAOP_THREADS: '2',
      TF_NUM_INTEROP_THREADS: '1',
    });
  });

  it('has no choice of lowerings', () => {
    const spec = {
      name: 'x',
      model: 'mlp',
      epochs: 1,
      shards: 1,
      batchPerShard: 1,
      engine: { name: 'tensorflow', lowering: 'im2col' },
    };
    expect(() => parseSpec(spec)).toThrow('engine.lowering: expected auto with engine.name: tensorflow, got im2col');
  });
});

const title = "the engine on libtensorflow (needs TF.js's native binding in LOCKSTEP_TFJS_NODE)";
/** Behaviour specific to this engine; the engines' common behaviour is in `contract.test.ts`. */
describe.skipIf(tensorflowDirectory === undefined)(title, () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createTensorflowEngine({ threads: 1, directory: tensorflowDirectory! });
  });

  it('names the binding, libtensorflow and the device', () => {
    expect(engine.info).toMatchObject({ name: 'tensorflow', lowering: 'eager', threads: 1 });
    expect(engine.info.device).toMatch(/^(cpu|cuda)$/);
    expect(engine.info.version).toMatch(/^tfjs-node(-gpu)? 4\.22\.0, libtensorflow 2\.\d+\.\d+$/);
  });

  it('runs deterministically: libtensorflow refuses a random draw without a seed', async () => {
    await tf.setBackend('tensorflow');
    const draw = () =>
      tf.engine().runKernel('Multinomial', { logits: tf.zeros([1, 2]) }, { numSamples: 1, seed: 0, normalized: false });
    expect(draw).toThrow('When determinism is enabled, random ops must have a seed specified');
    await tf.setBackend('cpu');
  });

  it('finds no maximum in a window of NaN, and the usual one elsewhere', async () => {
    await tf.setBackend('tensorflow');
    const x = tf.tensor4d([NaN, NaN, 1, NaN, NaN, NaN, -3e38, 2], [1, 2, 4, 1]);
    const { value, grad } = tf.valueAndGrad((y: Tensor4D) => tf.maxPool(y, 2, 2, 'valid'))(x);
    expect([...value.dataSync()]).toEqual([NaN, 2]);
    expect([2, 3, 6, 7].map((i) => grad.dataSync()[i])).toEqual([0, 0, 0, 1]);
    await tf.setBackend('cpu');
  });

  it('has one number of threads per process', async () => {
    const other = createTensorflowEngine({ threads: 2, directory: tensorflowDirectory! });
    await expect(other).rejects.toThrow('expected engine.threads 1, as set in this process, got 2');
  });
});

import { expect, it } from 'vitest';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';

/** Behaviour specific to the onnx engine; the engines' common behaviour is in `contract.test.ts`. */

it('refuses more threads than give equal bits', async () => {
  await expect(createOnnxEngine({ threads: 3, lowering: 'portable' })).rejects.toThrow(
    'expected 1 to 2 threads, got 3',
  );
});

it('names its library and device', async () => {
  const { info } = await createOnnxEngine({ threads: 1 });
  expect(info).toMatchObject({ name: 'onnx', device: 'cpu', threads: 1 });
  expect(info.lowering).toMatch(/^(portable|nchwc\d+)$/);
  expect(info.version).toMatch(/^onnxruntime-node \d+\.\d+\.\d+$/);
});

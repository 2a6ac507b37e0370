import { expect, it } from 'vitest';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';

/** Behaviour specific to the onnx engine; the engines' common behaviour is in `contract.test.ts`. */

it('names its library, device and lowering', async () => {
  const { info } = await createOnnxEngine({ device: 'cpu' });
  expect(info).toMatchObject({ name: 'onnx', device: 'cpu', lowering: 'im2col', threads: 1 });
  expect(info.version).toMatch(/^onnxruntime-node \d+\.\d+\.\d+$/);
});

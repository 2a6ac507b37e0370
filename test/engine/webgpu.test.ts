import { expect, it } from 'vitest';
import { createOnnxEngine } from '../../engine/onnx/engine.js';
it('works', { timeout: 60000 }, async () => {
  console.log(process.env['LD_LIBRARY_PATH']);
  const t = performance.now();
  const e = await createOnnxEngine({ threads: 1, device: 'webgpu' });
  console.log(performance.now() - t);
  expect(e.info.device).toBe('webgpu');
});

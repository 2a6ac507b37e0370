import { expect, it } from 'vitest';
import { readyMessage } from '../../worker/ready-message.js';

const info = { name: 'onnx', version: 'onnx 1', device: 'webgpu', lowering: 'im2col', threads: 1 };
const ready = { kind: 'ready', info, fingerprint: 'f0'.repeat(32), canWiden: false, compileMs: 12 } as const;

it('a ready worker tells where its programs run, no longer than a coordinator takes it', () => {
  const placement = `3 of 400 operators run on the CPU (${'x'.repeat(300)})`;
  expect(readyMessage({ ...ready, placement }, 0).placement).toBe(placement.slice(0, 200));
  expect(readyMessage(ready, 2)).toEqual({
    engine: 'onnx',
    engineVersion: 'onnx 1',
    device: 'webgpu',
    lowering: 'im2col',
    threads: 1,
    compileMs: 12,
    fingerprint: 'f0'.repeat(32),
    wideCores: 2,
    placement: '',
  });
});

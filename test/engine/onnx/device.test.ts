import { describe, expect, it } from 'vitest';
import { cudaProviderFile } from '../../../engine/onnx/cuda-provider.js';
import { cudaEnvironment, decideDevice, deviceTitle, targetOf } from '../../../engine/onnx/device.js';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';

const cpu = { kind: 'cpu' } as const;
const cuda = (index: number) => ({ kind: 'cuda', index }) as const;
const webgpu = { kind: 'webgpu' } as const;

describe('the device of an engine', () => {
  it.each([
    ['auto', cuda(0)],
    ['cuda', cuda(0)],
    ['cuda:3', cuda(3)],
    ['webgpu', webgpu],
    ['cpu', cpu],
  ] as const)('%s is %j', (choice, device) => {
    expect(decideDevice(choice)).toEqual(device);
  });

  it.each(['gpu', 'cuda:', 'cuda:x', 'webgpu:1', ''])('is not "%s"', (choice) => {
    expect(() => decideDevice(choice)).toThrow(
      `create engine: expected device auto, cuda, cuda:N or webgpu, got ${choice}; correct engine.device`,
    );
  });

  it('has the lowering im2col by default', () => {
    expect((['auto', 'im2col', 'portable'] as const).map(targetOf)).toEqual(['im2col', 'im2col', 'portable']);
  });

  it('has a title without its number, and with a precision that changes bits', () => {
    expect(deviceTitle(cuda(3), 'float32')).toBe('cuda');
    expect(deviceTitle(cuda(0), 'tf32')).toBe('cuda tf32');
    expect(deviceTitle(webgpu, 'float32')).toBe('webgpu');
  });

  it('CUDA, has TF32 off by default, and by no other means if it is wanted', () => {
    expect(cudaEnvironment('float32')).toEqual({ NVIDIA_TF32_OVERRIDE: '0', CUBLAS_WORKSPACE_CONFIG: ':4096:8' });
    expect(cudaEnvironment('tf32')).toEqual({ NVIDIA_TF32_OVERRIDE: undefined, CUBLAS_WORKSPACE_CONFIG: ':4096:8' });
  });
});

const hasCuda = cudaProviderFile() !== undefined;
describe('an engine whose device is missing', () => {
  it.skipIf(hasCuda).each(['auto', 'cuda:1'])(
    "%s says so, and how to install it (needs a machine without ONNX Runtime's CUDA library)",
    async (device) => {
      await expect(createOnnxEngine({ device })).rejects.toThrow(
        "create engine: expected cuda to work, but expected ONNX Runtime's library for CUDA, got none; " +
          "run scripts/gpu-setup.sh in Lockstep's folder",
      );
    },
  );
});

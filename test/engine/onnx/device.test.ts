import { describe, expect, it } from 'vitest';
import { cudaProviderFile } from '../../../engine/onnx/cuda-provider.js';
import { cudaEnvironment, decideDevice, deviceTitle, gpuTarget } from '../../../engine/onnx/device.js';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';

const cpu = { kind: 'cpu' } as const;
const cuda = (index: number) => ({ kind: 'cuda', index }) as const;
const webgpu = { kind: 'webgpu' } as const;

describe('the device of an engine', () => {
  it.each([
    ['auto', 'auto', true, cuda(0), true],
    ['auto', 'im2col', true, cuda(0), true],
    ['auto', 'nchwc', true, cpu, false],
    ['auto', 'auto', false, cpu, false],
    ['cpu', 'auto', true, cpu, false],
    ['cuda', 'auto', false, cuda(0), false],
    ['cuda:3', 'portable', true, cuda(3), false],
    ['webgpu', 'auto', true, webgpu, false],
  ] as const)('%s with lowering %s, CUDA installed %s, is %j first, else the CPU: %s', (...row) => {
    const [choice, lowering, hasCuda, device, orCpu] = row;
    expect(decideDevice(choice, lowering, hasCuda)).toEqual({ device, orCpu });
  });

  it.each(['gpu', 'cuda:', 'cuda:x', 'webgpu:1', ''])('is not "%s"', (choice) => {
    expect(() => decideDevice(choice, 'auto', true)).toThrow(
      `create engine: expected device auto, cpu, cuda, cuda:N or webgpu, got ${choice}; correct engine.device`,
    );
  });

  it('if it is a GPU, has no blocked convolutions, and im2col unless asked otherwise', () => {
    expect(gpuTarget('nchwc')).toBeUndefined();
    expect((['auto', 'im2col', 'portable'] as const).map(gpuTarget)).toEqual(['im2col', 'im2col', 'portable']);
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
  it.skipIf(hasCuda)(
    "says so, and how to install it (needs a machine without ONNX Runtime's CUDA library)",
    async () => {
      await expect(createOnnxEngine({ threads: 1, device: 'cuda:1' })).rejects.toThrow(
        "create engine: expected cuda:1 to work, but ONNX Runtime's library for it is not installed; " +
          "run scripts/gpu-setup.sh in Lockstep's folder; or set engine.device to cpu",
      );
    },
  );

  it.skipIf(hasCuda)(
    "is the CPU, if that is allowed (needs a machine without ONNX Runtime's CUDA library)",
    async () => {
      const { info } = await createOnnxEngine({ threads: 1, device: 'auto' });
      expect(info.device).toBe('cpu');
    },
  );

  it('refuses blocked convolutions on a GPU, and TF32 on a CPU', async () => {
    await expect(createOnnxEngine({ threads: 1, device: 'webgpu', lowering: 'nchwc' })).rejects.toThrow(
      'lowering nchwc is for CPUs; set engine.lowering to auto, im2col or portable',
    );
    await expect(createOnnxEngine({ threads: 1, device: 'cpu', precision: 'tf32' })).rejects.toThrow(
      'expected CUDA for precision tf32, got the CPU',
    );
  });
});

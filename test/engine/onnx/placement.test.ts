import { describe, expect, it } from 'vitest';
import { describePlacement, placementOf } from '../../../engine/onnx/placement.js';
import { essenceOf } from '../../../engine/onnx/session.js';

const cuda = { kind: 'cuda', index: 0 } as const;
/** As ONNX Runtime 1.30 writes it, without times. */
const ran = (op_name: string, provider: string) => ({
  cat: 'Node',
  name: `${op_name}_7_kernel_time`,
  args: { op_name, provider },
});
const onGpu = (type: string) => ran(type, 'CUDAExecutionProvider');
const onCpu = (type: string) => ran(type, 'CPUExecutionProvider');

describe('where operators run', () => {
  const profile = [
    { cat: 'Session', name: 'model_loading_array' },
    { cat: 'Node', name: 'Gemm_7_fence_before', args: { op_name: 'Gemm' } },
    ...[onGpu('Gemm'), onGpu('MemcpyToHost'), onCpu('Mod'), onCpu('Cast'), onCpu('Mod'), onGpu('MemcpyFromHost')],
  ];

  it('is counted from a profile, copies apart', () => {
    expect(placementOf(profile)).toEqual({ operators: 4, onCpu: { Mod: 2, Cast: 1 }, copies: 2 });
    expect(placementOf([onGpu('Gemm')])).toEqual({ operators: 1, onCpu: {}, copies: 0 });
  });

  it('is reported with the operator types that the device lacks, the most frequent first', () => {
    expect(describePlacement(cuda, placementOf(profile))).toBe(
      '3 of 4 operators run on the CPU, as cuda does not support them (2 Mod, 1 Cast), with 2 copies between the two',
    );
    expect(describePlacement(cuda, placementOf([onGpu('Gemm')]))).toBe('all 1 operators run on cuda');
  });

  it('fits a message, however many types there are', () => {
    const onCpu = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`Operator${i}`, i + 1]));
    const text = describePlacement(cuda, { operators: 5000, onCpu, copies: 180 });
    expect(text).toContain('(90 Operator89, 89 Operator88, 88 Operator87, 87 Operator86, 86 Operator85, …)');
    expect(text.length).toBeLessThan(200);
  });
});

describe("an error of ONNX Runtime's", () => {
  it.each([
    [
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::Initialize(const X&)' +
        '::<lambda()> adapter_result.status == Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
      'Failed to get a WebGPU adapter: No supported adapters',
    ],
    [
      '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:149 std::conditional_t<THRW, void, Status> Call(…) ' +
        'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=0 ; hostname=x ; file=y',
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
    ],
    ['Failed to load shared library', 'Failed to load shared library'],
  ])('is reduced to its essence', (message, essence) => {
    expect(essenceOf(message)).toBe(essence);
  });
});

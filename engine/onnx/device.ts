import { EngineError } from '../errors.js';
import type { Target } from './program-request.js';

/** Precision of factors of products on CUDA; `tf32` has 10 bits of mantissa and uses tensor cores. */
export type Precision = 'float32' | 'tf32';
/** Lowering of operations; `auto`: the fastest reproducible one on the device. */
export type LoweringChoice = 'auto' | 'portable' | 'nchwc' | 'im2col';

/** A device of ONNX Runtime. */
export type Device =
  { readonly kind: 'cpu' } | { readonly kind: 'cuda'; readonly index: number } | { readonly kind: 'webgpu' };
export type Gpu = Exclude<Device, { kind: 'cpu' }>;

export const cpu: Device = { kind: 'cpu' };

/**
 * Decides which device to try first, and whether to fall back to the CPU.
 * @param choice - `auto` (CUDA if its library is installed, else the CPU), `cpu`, `cuda`, `cuda:1` (second GPU of a
 * host) or `webgpu`.
 * @throws EngineError BAD_INPUT for other values.
 */
export function decideDevice(choice: string, lowering: LoweringChoice, hasCuda: boolean): DeviceTrial {
  const [kind, index = '0'] = choice.split(':');
  if (kind === 'cuda' && /^\d+$/.test(index)) return { device: cuda(Number(index)), orCpu: false };
  switch (choice) {
    case 'auto':
      return hasCuda && lowering !== 'nchwc' ? { device: cuda(0), orCpu: true } : onCpu;
    case 'cpu':
      return onCpu;
    case 'webgpu':
      return { device: { kind: 'webgpu' }, orCpu: false };
    default: {
      const expected = 'expected device auto, cpu, cuda, cuda:N or webgpu';
      throw new EngineError('BAD_INPUT', `create engine: ${expected}, got ${choice}; correct engine.device`);
    }
  }
}

export interface DeviceTrial {
  readonly device: Device;
  readonly orCpu: boolean;
}

const onCpu: DeviceTrial = { device: cpu, orCpu: false };
const cuda = (index: number): Device => ({ kind: 'cuda', index });

/** Target of a GPU; blocked convolutions exist for CPUs only. */
export type GpuTarget = Extract<Target, string>;

export function gpuTarget(lowering: LoweringChoice): GpuTarget | undefined {
  if (lowering === 'nchwc') return undefined;
  return lowering === 'portable' ? 'portable' : 'im2col';
}

/** Device name for `run.json` and admission, without the GPU's index, which changes no bit. */
export function deviceTitle({ kind }: Device, precision: Precision): string {
  return precision === 'tf32' ? `${kind} tf32` : kind;
}

/**
 * Environment variables for loading CUDA's libraries; ONNX Runtime's Node.js binding has no other option for these
 * settings. NVIDIA_TF32_OVERRIDE=0 disables TF32; without the variable ONNX Runtime enables it.
 */
export function cudaEnvironment(precision: Precision): Readonly<Record<string, string | undefined>> {
  return {
    NVIDIA_TF32_OVERRIDE: precision === 'float32' ? '0' : undefined,
    // A fixed workspace per stream makes cuBLAS reproducible.
    CUBLAS_WORKSPACE_CONFIG: ':4096:8',
  };
}

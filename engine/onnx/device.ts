import { EngineError } from '../errors.js';
import type { Target } from './program-request.js';

/** Factors of a product on CUDA: whole, or rounded to TF32's 10 bits of mantissa, which tensor cores take. */
export type Precision = 'float32' | 'tf32';
/** How operations are formulated; `auto` is what is fastest on the device and has equal bits there. */
export type LoweringChoice = 'auto' | 'portable' | 'nchwc' | 'im2col';

/** A device of ONNX Runtime. */
export type Device =
  { readonly kind: 'cpu' } | { readonly kind: 'cuda'; readonly index: number } | { readonly kind: 'webgpu' };
export type Gpu = Exclude<Device, { kind: 'cpu' }>;

export const cpu: Device = { kind: 'cpu' };

/**
 * What is to be tried first, and whether the CPU takes its place where it does not work.
 * @param choice - `auto`, which is CUDA where its library is installed, `cpu`, `cuda`, `cuda:1` for the second GPU of a
 * host, or `webgpu`.
 * @throws EngineError BAD_INPUT for anything else.
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

/** What a GPU can be given: blocked convolutions are the CPU's. */
export type GpuTarget = Extract<Target, string>;

export function gpuTarget(lowering: LoweringChoice): GpuTarget | undefined {
  if (lowering === 'nchwc') return undefined;
  return lowering === 'portable' ? 'portable' : 'im2col';
}

/** As `run.json` and the door know it; which of several equal GPUs it was changes no bit. */
export function deviceTitle({ kind }: Device, precision: Precision): string {
  return precision === 'tf32' ? `${kind} tf32` : kind;
}

/**
 * What CUDA's libraries are to find in the environment when they are loaded; ONNX Runtime's Node.js binding has no other
 * door for it. TF32 is off for all of them with NVIDIA_TF32_OVERRIDE=0, and up to ONNX Runtime, which wants it, if the
 * variable is not there.
 */
export function cudaEnvironment(precision: Precision): Readonly<Record<string, string | undefined>> {
  return {
    NVIDIA_TF32_OVERRIDE: precision === 'float32' ? '0' : undefined,
    // With workspaces of its own size per stream, cuBLAS promises equal bits from run to run.
    CUBLAS_WORKSPACE_CONFIG: ':4096:8',
  };
}

import { EngineError } from '../errors.js';
import type { Target } from './program-request.js';

/** Precision of factors of products on CUDA; `tf32` has 10 bits of mantissa and uses tensor cores. */
export type Precision = 'float32' | 'tf32';
/** Lowering of operations; `auto`: the fastest. */
export type LoweringChoice = 'auto' | Target;

/** A device of ONNX Runtime. */
export type Device =
  { readonly kind: 'cpu' } | { readonly kind: 'cuda'; readonly index: number } | { readonly kind: 'webgpu' };
export type Gpu = Exclude<Device, { kind: 'cpu' }>;

export const cpu: Device = { kind: 'cpu' };

/**
 * The device of a spec's `engine.device`.
 * @param choice - `auto` or `cuda` (the first NVIDIA GPU), `cuda:1` (the second), `webgpu`, or `cpu`.
 * @throws EngineError BAD_INPUT for other values.
 */
export function decideDevice(choice: string): Device {
  if (choice === 'cpu') return cpu;
  if (choice === 'webgpu') return { kind: 'webgpu' };
  const [kind, index = '0'] = choice.split(':');
  if (choice === 'auto' || (kind === 'cuda' && /^\d+$/.test(index))) return { kind: 'cuda', index: Number(index) };
  const expected = 'expected device auto, cuda, cuda:N or webgpu';
  throw new EngineError('BAD_INPUT', `create engine: ${expected}, got ${choice}; correct engine.device`);
}

export function targetOf(lowering: LoweringChoice): Target {
  return lowering === 'auto' ? 'im2col' : lowering;
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

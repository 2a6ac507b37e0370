import { EngineError } from '../errors.js';
import { providerProblem } from './cuda-provider.js';
import { cudaEnvironment, type Gpu, type Precision } from './device.js';
import { probeDifference } from './probe.js';
import type { ProgramSource } from './program-source.js';
import type { Target } from './program-request.js';
import { essenceOf } from './session.js';

/** Largest relative L2 difference from the CPU's results; TF32 has 2⁻¹¹ in each factor. */
const tolerances = { float32: 1e-5, tf32: 5e-3 };
/** Precision of this process. CUDA's libraries read their settings once. */
let loaded: Precision | undefined;

export interface GpuRequest {
  readonly device: Gpu;
  readonly precision: Precision;
  readonly target: Target;
  readonly source: ProgramSource;
}

/**
 * Initializes a GPU and compares its results of a small program with the CPU's.
 * @returns the problem, or undefined if it works.
 */
export async function openGpu({ device, precision, target, source }: GpuRequest): Promise<string | undefined> {
  if (device.kind === 'cuda') {
    const problem = providerProblem();
    if (problem !== undefined) return problem;
    setEnvironment(precision);
  }
  try {
    const expected = await source({ kind: 'gpuProbe', target: 'portable' });
    const actual = await source({ kind: 'gpuProbe', target });
    const difference = await probeDifference(actual, expected, device);
    if (difference <= tolerances[precision]) return undefined;
    return `its results have a relative difference of ${difference} from the CPU's; a newer driver may help`;
  } catch (error) {
    const { message, cause } = error as Error;
    return `${essenceOf((cause as Error | undefined)?.message ?? message)}; ${hints[device.kind]}`;
  }
}

const hints = {
  cuda: 'check nvidia-smi, and that CUDA and cuDNN are in the library path',
  webgpu: 'a Vulkan driver and its loader, libvulkan.so.1, must be installed',
};

/** Sets the environment of CUDA's libraries. @throws EngineError RUNTIME when they are loaded with another precision. */
function setEnvironment(precision: Precision): void {
  if (loaded !== undefined && loaded !== precision) {
    const problem = `expected precision ${loaded}, with which CUDA was loaded in this process, got ${precision}`;
    throw new EngineError('RUNTIME', `create engine: ${problem}; restart the worker`);
  }
  loaded = precision;
  for (const [name, value] of Object.entries(cudaEnvironment(precision))) {
    // Writing is permitted here: CUDA has no other option for this setting.
    // eslint-disable-next-line no-restricted-properties
    if (value === undefined) delete process.env[name];
    // eslint-disable-next-line no-restricted-properties
    else process.env[name] = value;
  }
}

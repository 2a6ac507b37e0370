import type { Engine, InstructionSet } from './engine.js';
import type { LoweringChoice, Precision } from './onnx/device.js';

/** Engine settings of a job's spec, and of the process. */
export interface EngineChoice {
  readonly name: 'native' | 'onnx' | 'tensorflow';
  /** Threads per program; native and tensorflow. */
  readonly threads: number;
  /** native only: instruction set; default: the fastest that works. */
  readonly isa?: InstructionSet | undefined;
  /** onnx only, like the next two. */
  readonly lowering?: LoweringChoice | undefined;
  readonly device?: string | undefined;
  readonly precision?: Precision | undefined;
  /** Receives messages for the user, such as fallbacks. */
  readonly log?: ((message: string) => void) | undefined;
  /** Cache of compiled programs; default: no cache. */
  readonly cacheDirectory?: string | undefined;
  /** tensorflow only: directory to search for the binding, in addition to Lockstep's packages and `NODE_PATH`. */
  readonly directory?: string | undefined;
}

/** Creates the engine of a job's spec. Loads its packages. */
export async function createEngine({ name, ...options }: EngineChoice): Promise<Engine> {
  switch (name) {
    case 'native': {
      const { createNativeEngine } = await import('./native/engine.js');
      return createNativeEngine(options);
    }
    case 'onnx': {
      const { createOnnxEngine } = await import('./onnx/engine.js');
      const { device, precision, lowering, log, cacheDirectory } = options;
      return createOnnxEngine({ device, precision, lowering, log, cacheDirectory });
    }
    case 'tensorflow': {
      const { createTensorflowEngine } = await import('./tensorflow/engine.js');
      return createTensorflowEngine({ threads: options.threads, directory: options.directory });
    }
    default:
      return name satisfies never;
  }
}

/** Preloads the default engine's modules, for callers that wait for their job. */
export async function loadEngine(): Promise<void> {
  await import('./native/engine.js');
}

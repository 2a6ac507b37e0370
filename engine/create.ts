import type { Engine } from './engine.js';
import type { LoweringChoice, Precision } from './onnx/device.js';

/** Engine settings of a job's spec, and of the process. */
export interface EngineChoice {
  readonly name: 'onnx' | 'tensorflow';
  /** Threads per operator. */
  readonly threads: number;
  /** onnx only, like the next two. */
  readonly lowering?: LoweringChoice;
  readonly device?: string;
  readonly precision?: Precision;
  /** Receives messages for the user, such as fallbacks. */
  readonly log?: (message: string) => void;
  /** Cache of compiled programs; default: no cache. */
  readonly cacheDirectory?: string | undefined;
  /** tensorflow only: directory to search for the binding, in addition to Lockstep's packages and `NODE_PATH`. */
  readonly directory?: string | undefined;
}

/** Creates the engine of a job's spec. Loads its packages. */
export async function createEngine({ name, ...options }: EngineChoice): Promise<Engine> {
  switch (name) {
    case 'onnx': {
      const { createOnnxEngine } = await import('./onnx/engine.js');
      return createOnnxEngine(options);
    }
    case 'tensorflow': {
      const { createTensorflowEngine } = await import('./tensorflow/engine.js');
      return createTensorflowEngine({ threads: options.threads, directory: options.directory });
    }
    default:
      return name satisfies never;
  }
}

/**
 * Preloads the packages of `createEngine`, for callers that wait for their job: the runtime, and the compiler unless
 * cached programs may replace it.
 */
export async function loadEngine(name: EngineChoice['name'], cacheDirectory?: string): Promise<void> {
  switch (name) {
    case 'onnx': {
      const [{ loadRuntime }] = await Promise.all([import('./onnx/session.js'), import('./onnx/engine.js')]);
      await loadRuntime();
      if (!(await isWarm(cacheDirectory))) await import('./onnx/compile.js');
      return;
    }
    case 'tensorflow':
      await import('./tensorflow/engine.js');
      return;
    default:
      return name satisfies never;
  }
}

async function isWarm(cacheDirectory: string | undefined): Promise<boolean> {
  if (cacheDirectory === undefined) return false;
  const { ProgramCache } = await import('./cache/program-cache.js');
  return (await ProgramCache.open(cacheDirectory)).isWarm();
}

import type { Engine } from './engine.js';
import type { LoweringChoice, Precision } from './onnx/device.js';

/** What a job's spec says about its engine; `log` is told what a user might want to know. */
export interface EngineChoice {
  readonly name: 'onnx' | 'tensorflow';
  /** Threads inside one operator. */
  readonly threads: number;
  /** onnx only; so are the next two. */
  readonly lowering?: LoweringChoice;
  readonly device?: string;
  readonly precision?: Precision;
  readonly log?: (message: string) => void;
  /** Where compiled programs are kept; none are by default. */
  readonly cacheDirectory?: string | undefined;
  /** tensorflow only: another place to search for its binding, besides Lockstep's own packages and `NODE_PATH`. */
  readonly directory?: string | undefined;
}

/** The engine that a job's spec names, with its heavy parts loaded only now. */
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
 * Loads what `createEngine` and its programs will need, for those who have time before they know their job: the runtime,
 * and the compiler too where nothing is kept that could take its place.
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

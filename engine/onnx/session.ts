import type * as OnnxRuntime from 'onnxruntime-node';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { disposedError, EngineError } from '../errors.js';
import type { Feed } from '../feeds.js';
import type { Device } from './device.js';
import { loadProblem, runtimeProblem } from './runtime.js';

type Runtime = typeof OnnxRuntime;

/**
 * Loads ONNX Runtime with telemetry disabled; its native library takes about 30 MB.
 *
 * Version 1.30 and later send telemetry unless an environment variable, read when the first session is created, disables
 * it. It must be set in the process's environment: a worker thread needs `SHARE_ENV`.
 */
export async function loadRuntime(): Promise<Runtime> {
  const missing = runtimeProblem();
  if (missing !== undefined) throw new EngineError('RUNTIME', `load engine: ${missing}`);
  // eslint-disable-next-line no-restricted-properties
  Object.assign(process.env, { ORT_DISABLE_TELEMETRY: '1' });
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new EngineError('RUNTIME', `load engine: ${loadProblem(cause as Error)}`, { cause });
  }
}

export interface SessionSetup {
  readonly device: Device;
  /** Path prefix of the profile that `endProfiling` writes. */
  readonly profile?: string;
}

/** One compiled model. `run` blocks the calling thread for the whole computation. */
export class OnnxSession {
  /** Settles with the last requested run; ONNX Runtime's binding runs them in order. */
  #lastRun = Promise.resolve();
  #end: Promise<void> | undefined;

  private constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
  ) {}

  static async create(model: Uint8Array, setup: SessionSetup): Promise<OnnxSession> {
    const runtime = await loadRuntime();
    const options = sessionOptions(setup);
    return new OnnxSession(runtime, await attempt('compile', () => runtime.InferenceSession.create(model, options)));
  }

  /** Runs the model; the arrays in the result belong to the caller. */
  async run(feeds: Readonly<Record<string, Feed>>): Promise<Readonly<Record<string, Tensor>>> {
    if (this.#end) throw disposedError();
    const tensors = Object.entries(feeds).map(([name, { type, data, shape }]) => {
      return [name, new this.runtime.Tensor(type, data as Float32Array, shape)] as const;
    });
    const run = attempt('run', () => this.session.run(Object.fromEntries(tensors)));
    // Keeping the run itself would keep its results in memory.
    this.#lastRun = run.then(ignore, ignore);
    return run;
  }

  endProfiling(): void {
    this.session.endProfiling();
  }

  /** Releases the session after the runs requested so far. */
  dispose(): Promise<void> {
    this.#end ??= this.#lastRun.then(() => this.session.release());
    return this.#end;
  }
}

function ignore(): void {}

function sessionOptions({ device, profile }: SessionSetup): InferenceSession.SessionOptions {
  const isCpu = device.kind === 'cpu';
  return {
    executionProviders: [providerOf(device)],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // The lowering chooses layouts and fusions. The optimizer would cost time, and its choices depend on the version.
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    ...(isCpu ? {} : { extra: { session: { use_deterministic_compute: '1' } } }),
  };
}

function providerOf(device: Device): InferenceSession.ExecutionProviderConfig {
  return device.kind === 'cuda' ? { name: 'cuda', deviceId: device.index } : device.kind;
}

async function attempt<T>(operation: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const problem = essenceOf((cause as Error).message);
    throw new EngineError('RUNTIME', `${operation}: expected success, got an error of ONNX Runtime: ${problem}`, {
      cause,
    });
  }
}

/** ONNX Runtime's message without source locations, failed conditions and function names. */
export function essenceOf(message: string): string {
  const cuda = /CUDA failure \d+: [^;]+/.exec(message)?.[0];
  return (cuda ?? message.replace(/^\/onnxruntime_src\/.* was false\. /s, '')).trim();
}

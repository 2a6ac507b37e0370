import type * as OnnxRuntime from 'onnxruntime-node';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { disposedError, EngineError } from '../errors.js';
import type { Feed } from '../feeds.js';
import { cpu, type Device } from './device.js';

type Runtime = typeof OnnxRuntime;

/**
 * ONNX Runtime, loaded once; its native library takes about 30 MB.
 *
 * It must not tell its makers of the models that it runs, as it does from 1.30 on unless the environment forbids it; it
 * looks there once, when the first session is made. The environment must be the process's own: see `SHARE_ENV`.
 */
export async function loadRuntime(): Promise<Runtime> {
  // eslint-disable-next-line no-restricted-properties
  Object.assign(process.env, { ORT_DISABLE_TELEMETRY: '1' });
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    const message = `load engine: expected onnxruntime-node to load, got ${(cause as Error).message}; run npm ci on this platform`;
    throw new EngineError('RUNTIME', message, { cause });
  }
}

export interface SessionSetup {
  /** Threads inside one operator, on a CPU. */
  readonly threads: number;
  /**
   * How threads wait for the next operator. `spin`: two threads take 16 ms instead of 17 to 30 for a step of cnn3, but a
   * core of their own each. `sleep`, the default: a core that another process may want is left to it.
   */
  readonly waiting?: 'spin' | 'sleep';
  /** Default: the CPU. */
  readonly device?: Device;
  /** Begin of the path of a file to which `endProfiling` writes what ran where. */
  readonly profile?: string;
}

/** One compiled model. `run` blocks the calling thread for the whole computation. */
export class OnnxSession {
  /** Settled with the last run that was asked for; ONNX Runtime's binding takes them in turn. */
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
    // Not the run itself, which would keep its results in memory.
    this.#lastRun = run.then(ignore, ignore);
    return run;
  }

  endProfiling(): void {
    this.session.endProfiling();
  }

  /** Runs that were asked for before are finished first. */
  dispose(): Promise<void> {
    this.#end ??= this.#lastRun.then(() => this.session.release());
    return this.#end;
  }
}

function ignore(): void {}

function sessionOptions({ threads, waiting, device = cpu, profile }: SessionSetup): InferenceSession.SessionOptions {
  const spinning = { allow_spinning: waiting === 'spin' ? '1' : '0' };
  const isCpu = device.kind === 'cpu';
  return {
    executionProviders: [providerOf(device)],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // The lowering has chosen layouts and fusions already; the optimizer would only cost time, and its choices may
    // differ from version to version.
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    extra: { session: { intra_op: spinning, ...(isCpu ? {} : { use_deterministic_compute: '1' }) } },
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

/** What ONNX Runtime says without the place in its sources, the condition that did not hold, and names of functions. */
export function essenceOf(message: string): string {
  const cuda = /CUDA failure \d+: [^;]+/.exec(message)?.[0];
  return (cuda ?? message.replace(/^\/onnxruntime_src\/.* was false\. /s, '')).trim();
}

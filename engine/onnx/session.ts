import type * as OnnxRuntime from 'onnxruntime-node';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { EngineError } from '../errors.js';
import type { Feed } from '../feeds.js';

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

/** One compiled model. `run` blocks the calling thread for the whole computation. */
export class OnnxSession {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
  ) {}

  /**
   * @param threads - threads inside one operator.
   * @param waiting - how threads wait for the next operator. `spin`: two threads take 16 ms instead of 17 to 30 for a step
   * of cnn3, but a core of their own each. `sleep`: a core that another process may want is left to it.
   */
  static async create(model: Uint8Array, threads: number, waiting: 'spin' | 'sleep' = 'sleep'): Promise<OnnxSession> {
    const runtime = await loadRuntime();
    const options: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // The lowering has chosen layouts and fusions already; the optimizer would only cost time, and its choices may
      // differ from version to version.
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: waiting === 'spin' ? '1' : '0' } } },
    };
    return new OnnxSession(runtime, await attempt('compile', () => runtime.InferenceSession.create(model, options)));
  }

  /** Runs the model; the arrays in the result belong to the caller. */
  async run(feeds: Readonly<Record<string, Feed>>): Promise<Readonly<Record<string, Tensor>>> {
    const tensors = Object.entries(feeds).map(([name, { type, data, shape }]) => {
      return [name, new this.runtime.Tensor(type, data as Float32Array, shape)] as const;
    });
    return attempt('run', () => this.session.run(Object.fromEntries(tensors)));
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}

async function attempt<T>(operation: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new EngineError(
      'RUNTIME',
      `${operation}: expected success, got an error of ONNX Runtime: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

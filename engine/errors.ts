/**
 * Errors of an engine.
 *
 * UNSUPPORTED_MODEL: the model can't be trained as it is; UNSUPPORTED_KERNEL: an operation without lowering; BAD_INPUT:
 * inputs don't match the program; DISPOSED: a run of a disposed program; BAD_FILE: a damaged model file; RUNTIME: ONNX
 * Runtime or TensorFlow failed.
 */
export type EngineErrorCode =
  'UNSUPPORTED_MODEL' | 'UNSUPPORTED_KERNEL' | 'BAD_INPUT' | 'DISPOSED' | 'BAD_FILE' | 'RUNTIME';

/** Origin of the error, for display and logs. */
export interface EngineErrorContext {
  /** TF.js kernel, e.g. `Cumsum`. */
  readonly kernel?: string;
  /** Name of the layer being traced. */
  readonly layer?: string;
}

/** An error of the engine. Never retryable: the same inputs give the same error. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly retryable = false;
  readonly context: EngineErrorContext;

  constructor(
    readonly code: EngineErrorCode,
    message: string,
    options?: { cause?: unknown; context?: EngineErrorContext },
  ) {
    super(message, options);
    this.context = options?.context ?? {};
  }
}

/** Error for a run of a disposed program. */
export function disposedError(): EngineError {
  return new EngineError('DISPOSED', 'run program: expected an active program, got a disposed one; compile it again');
}

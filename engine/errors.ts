/**
 * What can go wrong in an engine.
 *
 * UNSUPPORTED_MODEL: the model cannot be trained as it is; UNSUPPORTED_KERNEL: one of its operations is not lowered;
 * BAD_INPUT: a run's inputs do not fit the program; DISPOSED: a program was run after its end; BAD_FILE: damaged
 * safetensors; RUNTIME: ONNX Runtime or TensorFlow failed.
 */
export type EngineErrorCode =
  'UNSUPPORTED_MODEL' | 'UNSUPPORTED_KERNEL' | 'BAD_INPUT' | 'DISPOSED' | 'BAD_FILE' | 'RUNTIME';

/** Where the error arose, for display and logs. */
export interface EngineErrorContext {
  /** TF.js kernel, e.g. `Cumsum`. */
  readonly kernel?: string;
  /** Layer whose call was being traced. */
  readonly layer?: string;
}

/** An error of the engine; none is worth a retry, as the same inputs give the same error. */
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

/** What a run of a disposed program ends with. */
export function disposedError(): EngineError {
  return new EngineError(
    'DISPOSED',
    'run program: expected a program in use, got one that was disposed of; compile it again',
  );
}

import { EngineError, type EngineErrorCode } from '../../errors.js';

/** Errors of the kernels' code as errors of the engine. */
export function nativeError(code: string | undefined, message: string, cause?: unknown): EngineError {
  const ours: EngineErrorCode = code === 'BAD_INPUT' || code === 'DISPOSED' ? code : 'RUNTIME';
  return new EngineError(ours, message, { cause });
}

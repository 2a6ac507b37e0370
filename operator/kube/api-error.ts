/** A request to the API server that failed or got no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    message: string,
    /** HTTP status; 0 without an answer. */
    readonly code: number,
    /** The API's reason, e.g. "AlreadyExists"; "Unreachable" without an answer. */
    readonly reason: string,
    /** The server's requested delay before a retry. */
    readonly retryAfterMs?: number,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /** True if the same request may succeed later. */
  get retryable(): boolean {
    return this.code === 0 || this.code === 408 || this.code === 429 || this.code >= 500;
  }
}

/** True if `error` is an answer with this HTTP status. */
export function hasCode(error: unknown, code: number): error is ApiError {
  return error instanceof ApiError && error.code === code;
}

/** Messages are cut, because they may quote the request. */
const maxMessage = 1000;

/**
 * Error for an answer whose status is not 2xx.
 * @param body - a `Status` object from the API server, or anything from a proxy.
 */
export function answerError(operation: string, code: number, body: string, retryAfter?: string): ApiError {
  const { reason, message } = readStatus(body);
  const seconds = Number(retryAfter ?? NaN);
  return new ApiError(
    `${operation}: expected success, got ${code} ${reason ?? ''}: ${(message ?? body.slice(0, 300)).slice(0, maxMessage)}`,
    code,
    reason ?? 'Unknown',
    Number.isFinite(seconds) ? seconds * 1000 : undefined,
  );
}

/** Error for a request without an answer. */
export function noAnswer(operation: string, server: string, cause: unknown, reason = 'Unreachable'): ApiError {
  const why = cause instanceof Error ? cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name) : '';
  return new ApiError(`${operation}: expected an answer from ${server}, got none: ${why}`, 0, reason, undefined, {
    cause,
  });
}

function readStatus(body: string): { readonly reason?: string; readonly message?: string } {
  try {
    const status = JSON.parse(body) as { kind?: string; reason?: string; message?: string } | null;
    return status?.kind === 'Status' ? status : {};
  } catch {
    return {};
  }
}

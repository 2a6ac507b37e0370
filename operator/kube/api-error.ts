/** What an API server, or the way to it, had to say against a request. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    message: string,
    /** HTTP status; 0 where no answer came. */
    readonly code: number,
    /** In one word of the API's, e.g. "AlreadyExists"; "Unreachable" where no answer came. */
    readonly reason: string,
    /** How long the server asks to be left alone. */
    readonly retryAfterMs?: number,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /** Whether the same request may succeed later, with nothing changed. */
  get retryable(): boolean {
    return this.code === 0 || this.code === 408 || this.code === 429 || this.code >= 500;
  }
}

/** Whether `error` is the API server's answer with this HTTP status. */
export function hasCode(error: unknown, code: number): error is ApiError {
  return error instanceof ApiError && error.code === code;
}

/** The message may quote the request. */
const maxMessage = 1000;

/**
 * The error of an answer whose status is not 2xx.
 * @param body - as received; a `Status` object where the API server itself answered, anything where a proxy did.
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

/** The error of a request that got no answer. */
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

import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';

/**
 * Errors between a coordinator and a worker. BAD_ENGINE: the worker's machine can't provide the job's engine, or the
 * engine can't run the model, so a restart would fail again. UNKNOWN_CHUNK: the job has no such dataset chunk.
 * BAD_CHUNK: a chunk of a vector or of the dataset is damaged, missing or out of order.
 */
export type ClusterErrorCode =
  | 'PROTOCOL_VERSION'
  | 'UNAUTHENTICATED'
  | 'UNTRUSTED'
  | 'BAD_MESSAGE'
  | 'BAD_CHUNK'
  | 'UNKNOWN_CHUNK'
  | 'STALE_PARTIAL'
  | 'UNREACHABLE'
  | 'LOST'
  | 'DUPLICATE_WORKER'
  | 'ENGINE_FAILED'
  | 'BAD_ENGINE'
  | 'OTHER_ENGINE'
  | 'NON_FINITE'
  | 'PORT_IN_USE'
  | 'NO_WORKERS'
  | 'REFUSED'
  | 'STOPPED';

const grpcStatus: Record<ClusterErrorCode, status> = {
  PROTOCOL_VERSION: status.FAILED_PRECONDITION,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  UNTRUSTED: status.UNAUTHENTICATED,
  BAD_MESSAGE: status.INVALID_ARGUMENT,
  BAD_CHUNK: status.DATA_LOSS,
  UNKNOWN_CHUNK: status.NOT_FOUND,
  STALE_PARTIAL: status.ABORTED,
  UNREACHABLE: status.UNAVAILABLE,
  LOST: status.DEADLINE_EXCEEDED,
  DUPLICATE_WORKER: status.ALREADY_EXISTS,
  ENGINE_FAILED: status.INTERNAL,
  BAD_ENGINE: status.FAILED_PRECONDITION,
  OTHER_ENGINE: status.FAILED_PRECONDITION,
  NON_FINITE: status.INTERNAL,
  PORT_IN_USE: status.UNAVAILABLE,
  NO_WORKERS: status.UNAVAILABLE,
  REFUSED: status.FAILED_PRECONDITION,
  STOPPED: status.CANCELLED,
};

const retryableCodes: ReadonlySet<ClusterErrorCode> = new Set(['UNREACHABLE', 'LOST', 'BAD_CHUNK', 'DUPLICATE_WORKER']);
const codeKey = 'lockstep-code';
/** Longest error message that is sent, in characters; headers are limited to 64 KiB. */
const maxDetails = 4_000;

/** An error with a closed code. The message states what was expected, what was found and what to do. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly retryable: boolean;
  constructor(
    readonly code: ClusterErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.retryable = retryableCodes.has(code);
  }
}

/** True if `code`, as received, is a ClusterErrorCode. */
export function isClusterErrorCode(code: string): code is ClusterErrorCode {
  return Object.hasOwn(grpcStatus, code);
}

/** gRPC status that transmits `error`. */
export function toStatus(error: ClusterError): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const metadata = new Metadata();
  metadata.set(codeKey, error.code);
  return { code: grpcStatus[error.code], details: headerText(error.message), metadata };
}

/** Text for a header, where it is percent-encoded. Longer texts, or half a surrogate pair, would keep the call open. */
function headerText(text: string): string {
  return Buffer.from(text.slice(0, maxDetails)).toString();
}

/** Error of a failed call: the sender's ClusterError if there is one, otherwise one derived from the status. */
export function fromServiceError(error: ServiceError, operation: string): ClusterError {
  const sent = error.metadata?.get(codeKey)[0];
  if (typeof sent === 'string' && isClusterErrorCode(sent)) {
    return new ClusterError(sent, error.details, { cause: error });
  }
  const detail = `${operation}: ${error.details || error.message}`;
  if (error.code === status.UNAUTHENTICATED) return new ClusterError('UNAUTHENTICATED', detail, { cause: error });
  const refused = error.code === status.INVALID_ARGUMENT || error.code === status.UNIMPLEMENTED;
  return new ClusterError(refused ? 'BAD_MESSAGE' : 'UNREACHABLE', detail, { cause: error });
}

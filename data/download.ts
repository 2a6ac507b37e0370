import { open, rename, rm, stat } from 'node:fs/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '../job/errors.js';
import { backoffMs } from '../util/backoff.js';
import { fileSha256 } from './cifar10-archive.js';

export interface DownloadOptions {
  readonly url: string;
  /** Path of the complete file; until then the bytes are in `<target>.part`, which a later call resumes. */
  readonly target: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes received so far, and in total (undefined while unknown). */
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
  /** Time without data after which an attempt is aborted; default: 30 s. */
  readonly stallMs?: number;
  /** Delay before the first retry, doubled each time; default: 500 ms. */
  readonly backoffMs?: number;
}

/** Consecutive attempts without progress before giving up: after the server has answered once, and before. */
const MAX_FAILURES = 5;
const MAX_FAILURES_UNREACHED = 2;
const maxPauseMs = 8_000;

/** A retryable failure of an attempt. */
class AttemptError extends Error {}

/**
 * Downloads a file over HTTP and checks its SHA-256; `target` is created complete or not at all.
 *
 * Resumes the partial file of an earlier attempt or process (HTTP Range), or restarts if the server doesn't support it.
 * One process at a time per target: the caller holds a lock.
 * @throws JobError DOWNLOAD_FAILED; the partial file is kept for the next call, unless its SHA-256 is wrong.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { url, target, sha256 } = options;
  const partial = `${target}.part`;
  const resumed = (await sizeOf(partial)) > 0;
  await fetchAll(options, partial);
  let found = await fileSha256(partial);
  if (found !== sha256 && resumed) {
    // The bytes of an earlier call may belong to another version of the file.
    await rm(partial);
    await fetchAll(options, partial);
    found = await fileSha256(partial);
  }
  if (found !== sha256) {
    await rm(partial);
    throw new JobError(
      'DOWNLOAD_FAILED',
      `download: expected SHA-256 ${sha256}, got ${found}; ${url}; the file was deleted; ` +
        'retry, or download it from another source and pass --data',
    );
  }
  await rename(partial, target);
}

/** Retries until the partial file is complete or too many consecutive attempts made no progress. */
async function fetchAll(options: DownloadOptions, partial: string): Promise<void> {
  let failures = 0;
  let reached = false;
  let most = await sizeOf(partial);
  for (;;) {
    try {
      return await attempt(options, partial, () => (reached = true));
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      const size = await sizeOf(partial);
      failures = size > most ? 1 : failures + 1;
      most = Math.max(most, size);
      if (failures >= (reached ? MAX_FAILURES : MAX_FAILURES_UNREACHED)) throw gaveUp(options.url, error, failures);
    }
    await sleep(backoffMs({ firstMs: options.backoffMs ?? 500, maxMs: maxPauseMs }, failures, 0));
  }
}

function gaveUp(url: string, error: AttemptError, failures: number): JobError {
  return new JobError(
    'DOWNLOAD_FAILED',
    `download: expected the file, got ${error.message} (${failures} attempts); ${url}; ` +
      'check the connection and retry (the download resumes), or pass --data',
    { cause: error.cause },
  );
}

/** One request. Completes the partial file or throws; received bytes stay in the file. */
async function attempt(options: DownloadOptions, partial: string, onReached: () => void): Promise<void> {
  const { url, stallMs = 30_000, onProgress } = options;
  const abort = new AbortController();
  const watch = stallWatch(stallMs, (error) => abort.abort(error));
  try {
    const have = await sizeOf(partial);
    const response = await network(() => fetch(url, { signal: abort.signal, headers: rangeHeaders(have) }));
    onReached();
    const plan = decideResponse(response.status, response.headers, have);
    if (plan.kind === 'write') {
      await receive(response, plan, partial, (bytes) => {
        watch.restart();
        onProgress?.(bytes, plan.total);
      });
      return;
    }
    if (plan.kind === 'complete') return;
    if (plan.kind === 'refused') throw refused(url, plan.reason);
    if (plan.kind === 'restart') await rm(partial, { force: true });
    throw new AttemptError(plan.reason);
  } finally {
    watch.stop();
    abort.abort();
  }
}

/** Calls `onStall` once after `limitMs` without `restart`. */
function stallWatch(limitMs: number, onStall: (error: Error) => void): { restart(): void; stop(): void } {
  const timer = setTimeout(() => onStall(new Error(`no bytes for ${limitMs / 1000} s`)), limitMs);
  return { restart: () => timer.refresh(), stop: () => clearTimeout(timer) };
}

/** Writes a response's body to the partial file and reports the file's size after each read. */
async function receive(
  response: Response,
  { from, total }: { from: number; total: number | undefined },
  partial: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const file = await open(partial, from === 0 ? 'w' : 'a');
  let bytes = from;
  try {
    const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
    for (;;) {
      const chunk = await network(async () => reader?.read());
      if (chunk?.value === undefined) break;
      await file.appendFile(chunk.value);
      bytes += chunk.value.length;
      onBytes(bytes);
    }
  } finally {
    await file.close();
  }
  if (total !== undefined && bytes !== total) throw new AttemptError(`${bytes} of ${total} bytes`);
}

/** `identity`: Range counts bytes of the file, so the response must not be compressed. */
function rangeHeaders(have: number): Record<string, string> {
  return { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
}

export type ResponsePlan =
  /** Write the body at byte `from` of the file. */
  | { readonly kind: 'write'; readonly from: number; readonly total: number | undefined }
  | { readonly kind: 'complete' }
  /** The partial file is invalid: delete it and request the whole file. */
  | { readonly kind: 'restart'; readonly reason: string }
  | { readonly kind: 'retry'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Decides how to handle a response to a request for the bytes after the first `have`. */
export function decideResponse(status: number, headers: Headers, have: number): ResponsePlan {
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  const total = range === null || range[2] === '*' ? undefined : Number(range[2]);
  if (status === 206) {
    if (range?.[1] !== undefined && Number(range[1]) === have) return { kind: 'write', from: have, total };
    return { kind: 'restart', reason: `another range than requested (${headers.get('content-range') ?? 'none'})` };
  }
  if (status === 200) {
    const length = headers.get('content-length');
    return { kind: 'write', from: 0, total: length === null ? undefined : Number(length) };
  }
  if (status === 416 && have > 0) {
    if (total === have) return { kind: 'complete' };
    return { kind: 'restart', reason: `a file of ${total ?? 'unknown'} bytes, fewer than the ${have} received` };
  }
  if (status >= 500 || status === 429 || status === 408) return { kind: 'retry', reason: `HTTP status ${status}` };
  return { kind: 'refused', reason: `HTTP status ${status}` };
}

function refused(url: string, reason: string): JobError {
  return new JobError(
    'DOWNLOAD_FAILED',
    `download: expected the file, got ${reason}; ${url}; check the URL, or pass --data`,
  );
}

/** Converts errors of the network to retryable ones; others, such as a full disk, are not. */
async function network<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new AttemptError(reasonOf(cause), { cause });
  }
}

/** Reason of a failed fetch. Its own message is only "fetch failed" or "terminated"; the reason is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof Error ? error.cause : error;
  return inner.message !== '' ? inner.message : ((inner as NodeJS.ErrnoException).code ?? inner.name);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (info) => info.size,
    () => 0,
  );
}

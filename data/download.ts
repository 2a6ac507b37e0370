import { open, rename, rm, stat } from 'node:fs/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '../job/errors.js';
import { fileSha256 } from './cifar10-archive.js';

export interface DownloadOptions {
  readonly url: string;
  /** The finished file; until then the bytes are in `<target>.part`, which a later call continues. */
  readonly target: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes so far, and in all (undefined while unknown). */
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
  /** Silence after which an attempt is given up; 30 s by default. */
  readonly stallMs?: number;
  /** Wait before the first retry, doubled each time; 500 ms by default. */
  readonly backoffMs?: number;
}

/** Failed attempts in a row that brought nothing new: after the server has answered once, and before. */
const MAX_FAILURES = 5;
const MAX_FAILURES_UNREACHED = 2;

/** An attempt failed in a way that another one may mend. */
class AttemptError extends Error {}

/**
 * Fetches a file over HTTP and checks its SHA-256; `target` appears complete or not at all.
 *
 * Continues what an earlier attempt or process left (HTTP Range), and starts afresh where the server cannot. One process
 * at a time per target: the caller holds a lock.
 * @throws JobError DOWNLOAD_FAILED; the part is kept for the next try, unless its SHA-256 was wrong.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { url, target, sha256 } = options;
  const part = `${target}.part`;
  const resumed = (await sizeOf(part)) > 0;
  await fetchAll(options, part);
  let found = await fileSha256(part);
  if (found !== sha256 && resumed) {
    // The bytes of an earlier run may belong to another version of the file.
    await rm(part);
    await fetchAll(options, part);
    found = await fileSha256(part);
  }
  if (found !== sha256) {
    await rm(part);
    throw new JobError(
      'DOWNLOAD_FAILED',
      `download: expected SHA-256 ${sha256}, got ${found}; ${url}; removed it; retry, or get the file elsewhere and pass --data`,
    );
  }
  await rename(part, target);
}

/** Attempts until the part is complete; gives up after too many in a row that brought nothing new. */
async function fetchAll(options: DownloadOptions, part: string): Promise<void> {
  let failures = 0;
  let reached = false;
  let most = await sizeOf(part);
  for (;;) {
    try {
      return await attempt(options, part, () => (reached = true));
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      const size = await sizeOf(part);
      failures = size > most ? 1 : failures + 1;
      most = Math.max(most, size);
      if (failures >= (reached ? MAX_FAILURES : MAX_FAILURES_UNREACHED)) throw gaveUp(options.url, error, failures);
    }
    await sleep((options.backoffMs ?? 500) * 2 ** (failures - 1));
  }
}

function gaveUp(url: string, error: AttemptError, failures: number): JobError {
  return new JobError(
    'DOWNLOAD_FAILED',
    `download: expected the file, got ${error.message} (${failures} attempts); ${url}; ` +
      'check the connection and try again (it continues where it broke off), or pass --data',
    { cause: error.cause },
  );
}

/** One request. Leaves the part complete, or throws; what came is in the part. */
async function attempt(options: DownloadOptions, part: string, onReached: () => void): Promise<void> {
  const { url, stallMs = 30_000, onProgress } = options;
  const abort = new AbortController();
  const watch = stallWatch(stallMs, (error) => abort.abort(error));
  try {
    const have = await sizeOf(part);
    const response = await network(() => fetch(url, { signal: abort.signal, headers: rangeHeaders(have) }));
    onReached();
    const plan = decideResponse(response.status, response.headers, have);
    if (plan.kind === 'write') {
      await receive(response, plan, part, (bytes) => {
        watch.restart();
        onProgress?.(bytes, plan.total);
      });
      return;
    }
    if (plan.kind === 'complete') return;
    if (plan.kind === 'refused') throw refused(url, plan.reason);
    if (plan.kind === 'restart') await rm(part, { force: true });
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

/** Writes a response's body to the part and reports the part's size after each chunk. */
async function receive(
  response: Response,
  { from, total }: { from: number; total: number | undefined },
  part: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const file = await open(part, from === 0 ? 'w' : 'a');
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

/** `identity`: Range counts bytes of the file, so the server must not compress it once more. */
function rangeHeaders(have: number): Record<string, string> {
  return { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
}

export type ResponsePlan =
  /** Write the body from byte `from` of the file on. */
  | { readonly kind: 'write'; readonly from: number; readonly total: number | undefined }
  | { readonly kind: 'complete' }
  /** What we have fits no longer: drop it and ask again. */
  | { readonly kind: 'restart'; readonly reason: string }
  | { readonly kind: 'retry'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** What to do with a response, when `have` bytes were there and the rest was asked for. */
export function decideResponse(status: number, headers: Headers, have: number): ResponsePlan {
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  const total = range === null || range[2] === '*' ? undefined : Number(range[2]);
  if (status === 206) {
    if (range?.[1] !== undefined && Number(range[1]) === have) return { kind: 'write', from: have, total };
    return { kind: 'restart', reason: `another range than asked for (${headers.get('content-range') ?? 'none'})` };
  }
  if (status === 200) {
    const length = headers.get('content-length');
    return { kind: 'write', from: 0, total: length === null ? undefined : Number(length) };
  }
  if (status === 416 && have > 0) {
    if (total === have) return { kind: 'complete' };
    return { kind: 'restart', reason: `a file of ${total ?? 'unknown'} bytes where we have ${have}` };
  }
  if (status >= 500 || status === 429 || status === 408) return { kind: 'retry', reason: `HTTP status ${status}` };
  return { kind: 'refused', reason: `HTTP status ${status}` };
}

function refused(url: string, reason: string): JobError {
  return new JobError(
    'DOWNLOAD_FAILED',
    `download: expected the file, got ${reason}; ${url}; check it, or pass --data`,
  );
}

/** Marks what the network throws, so that a full disk is not taken for a bad line. */
async function network<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new AttemptError(reasonOf(cause), { cause });
  }
}

/** Native fetch says only "fetch failed" or "terminated"; the reason is its cause. */
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

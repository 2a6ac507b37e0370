import { randomBytes } from 'node:crypto';
import { rmdirSync, unlinkSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '../../job/errors.js';
import { decideLock, staleMs } from './lock-decisions.js';
import { cannotWrite } from '../write-file.js';

/**
 * The lock of a run directory is the folder `.lock` with one file, whose name identifies the holder. Each change is a
 * single rename, which is atomic on local file systems and NFS servers:
 *
 * - A free lock is taken by renaming a prepared folder, with our file in it, to `.lock`. This fails while `.lock` holds
 *   a file.
 * - A dead holder's lock is taken over by renaming its file to ours. Only one of several contenders finds the file, as
 *   names are never reused.
 */

/** This machine's name, as used in file names. */
const hostName = hostname().replace(/[^\w.-]/g, '-');
/** Interval at which the holder renews its lock. */
const renewMs = 5_000;
const pollMs = 250;
/** Longest wait for another holder. */
const waitLimitMs = staleMs + renewMs;

export interface RunLock {
  release(): Promise<void>;
}

/** The file in a lock. */
interface Entry {
  readonly name: string;
  readonly renewedMs: number;
}

/** Directories that this process has locked or is locking, with the name of the lock's file. */
const held = new Map<string, string>();

/** Releases the locks of a process that ends with an error, so that other machines needn't wait. */
process.on('exit', () => {
  for (const [directory, file] of held) removeNow(directory, file);
});

/**
 * Locks a directory against other coordinators, on this machine and on others that share the disk.
 * @param onWaiting - called with the reason while the lock is held by another process.
 * @param onLost - called when another process has taken the lock, which may happen after this one was suspended.
 * @throws JobError BAD_RUN_DIRECTORY when another process keeps using it, or when the lock cannot be written.
 */
export async function lockRun(
  directory: string,
  onWaiting: (reason: string) => void,
  onLost: (error: Error) => void,
): Promise<RunLock> {
  if (held.has(directory)) throw inUse(directory, 'this process is using it');
  const name = `${hostName}_${process.pid}_${randomBytes(6).toString('hex')}`;
  held.set(directory, join(lockPath(directory), name));
  try {
    await take(directory, name, onWaiting);
    return keep(directory, name, onLost);
  } catch (error) {
    held.delete(directory);
    throw error;
  }
}

/**
 * True while a coordinator uses a run's directory: it is locked, and the holder is alive or, if that cannot be determined,
 * has renewed the lock recently.
 */
export async function isInUse(directory: string, nowMs: number): Promise<boolean> {
  const entry = await findEntry(directory);
  if (!entry) return false;
  const { action } = decideLock({ ...viewOf(entry, nowMs), watchedMs: 0 });
  return action === 'refuse' || (action === 'wait' && nowMs - entry.renewedMs < staleMs);
}

async function take(directory: string, name: string, onWaiting: (reason: string) => void): Promise<void> {
  const deadline = performance.now() + waitLimitMs;
  let watched = { name: '', renewedMs: 0, sinceMs: 0 };
  for (let reported = ''; ;) {
    const entry = await findEntry(directory);
    if (entry?.name === name) return;
    const nowMs = performance.now();
    if (!entry) {
      if (nowMs > deadline) throw inUse(directory, 'others keep taking it');
      await claim(directory, name);
      continue;
    }
    if (entry.name !== watched.name || entry.renewedMs !== watched.renewedMs) watched = { ...entry, sinceMs: nowMs };
    const { action, reason } = decideLock({ ...viewOf(entry, Date.now()), watchedMs: nowMs - watched.sinceMs });
    if (action === 'take') await takeOver(directory, entry.name, name);
    else if (action === 'refuse' || nowMs > deadline) throw inUse(directory, reason);
    else {
      if (reason !== reported)
        onWaiting(`run directory ${directory}: ${(reported = reason)}; waiting up to 20 s for it`);
      await sleep(pollMs);
    }
  }
}

/** Tries to take a free lock; `findEntry` shows the outcome. @throws JobError BAD_RUN_DIRECTORY */
async function claim(directory: string, name: string): Promise<void> {
  const lock = lockPath(directory);
  const aside = `${lock}.${name}`;
  try {
    await mkdir(aside);
    await writeFile(join(aside, name), '');
  } catch (cause) {
    await rm(aside, { recursive: true, force: true });
    throw cannotWrite(lock, cause);
  }
  // Removes an empty folder only: not every system lets a rename replace one.
  await rmdir(lock).catch(() => undefined);
  await rename(aside, lock).catch(async (cause: NodeJS.ErrnoException) => {
    await rm(aside, { recursive: true, force: true });
    if (!isTaken(cause)) throw cannotWrite(lock, cause);
  });
}

/** True for the error codes of a rename to a folder that isn't empty. */
function isTaken({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM';
}

/** Tries to take the lock of a dead holder; `findEntry` shows the outcome, as another process may have been first. */
async function takeOver(directory: string, from: string, name: string): Promise<void> {
  const lock = lockPath(directory);
  await rename(join(lock, from), join(lock, name)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cannotWrite(lock, cause);
  });
  await renew(join(lock, name)).catch(() => undefined);
}

/** Renews this process's lock until it is released or lost. */
function keep(directory: string, name: string, onLost: (error: Error) => void): RunLock {
  const file = join(lockPath(directory), name);
  let renewedMs = performance.now();
  const timer = setInterval(() => {
    renew(file).then(
      () => (renewedMs = performance.now()),
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT' && performance.now() - renewedMs < staleMs) return;
        clearInterval(timer);
        onLost(error);
      },
    );
  }, renewMs).unref();
  return {
    release: async () => {
      clearInterval(timer);
      held.delete(directory);
      await unlink(file).catch(() => undefined);
      await rmdir(lockPath(directory)).catch(() => undefined);
    },
  };
}

function removeNow(directory: string, file: string): void {
  try {
    unlinkSync(file);
    rmdirSync(lockPath(directory));
  } catch {
    // Another process holds it by now.
  }
}

async function renew(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}

/** The file in the lock; undefined if the lock is free or changing at this moment. */
async function findEntry(directory: string): Promise<Entry | undefined> {
  const lock = lockPath(directory);
  const names = await readdir(lock).catch(() => []);
  const name = names.find((each) => holderOf(each) !== undefined) ?? names[0];
  if (name === undefined) return undefined;
  return stat(join(lock, name)).then(
    ({ mtimeMs }) => ({ name, renewedMs: mtimeMs }),
    () => undefined,
  );
}

function viewOf({ name, renewedMs }: Entry, nowMs: number) {
  const holder = holderOf(name);
  const isAlive = holder !== undefined && isProcess(holder.pid);
  return { holder, ageMs: nowMs - renewedMs, self: { host: hostName, pid: process.pid }, isAlive };
}

function holderOf(name: string): { readonly host: string; readonly pid: number } | undefined {
  const [, host, pid] = /^(.+)_(\d+)_[0-9a-f]+$/.exec(name) ?? [];
  return host === undefined ? undefined : { host, pid: Number(pid) };
}

function lockPath(directory: string): string {
  return join(directory, '.lock');
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(directory: string, reason: string): JobError {
  return new JobError(
    'BAD_RUN_DIRECTORY',
    `run directory ${directory}: expected one that is not in use, got one in use: ${reason}; ` +
      'wait for that run, or pass another --run DIR',
  );
}

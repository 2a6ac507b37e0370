import { rename, rm, rmdir, stat } from 'node:fs/promises';
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { JobError } from '../job/errors.js';

/** A lock that nobody has renewed for so long is given up; the holder renews it every 5 s. */
const staleMs = 15_000;
const renewMs = 5_000;

/** Who holds a lock, written beside it. */
export interface LockHolder {
  readonly host: string;
  readonly pid: number;
  /** When the lock was made that this holder has, ms; another lock has another holder. */
  readonly lockedAtMs: number;
}

/** What there is to know when a lock is found held. */
export interface HeldLock {
  readonly holder: LockHolder | undefined;
  readonly lockedAtMs: number;
  readonly self: { readonly host: string; readonly pid: number };
  /** Whether a process with the holder's id runs on this machine. */
  readonly isAlive: boolean;
}

/**
 * What to do about a held lock: take it over when its holder is surely gone, which only a process of the same machine
 * can know; refuse when it is there; else wait until the lock is stale.
 */
export function decideLock({ holder, lockedAtMs, self, isAlive }: HeldLock): {
  readonly action: 'take' | 'wait' | 'refuse';
  readonly reason: string;
} {
  if (holder?.lockedAtMs !== lockedAtMs) return { action: 'wait', reason: 'an unknown process holds it' };
  const who = `process ${holder.pid} on ${holder.host}`;
  if (holder.host !== self.host) return { action: 'wait', reason: `${who} holds it` };
  // A container that starts again gives the same id to its first process.
  if (holder.pid === self.pid) return { action: 'take', reason: `${who} was this process's predecessor` };
  if (!isAlive) return { action: 'take', reason: `${who} is gone` };
  return { action: 'refuse', reason: `${who} is using it` };
}

export interface RunLock {
  release(): Promise<void>;
}

/** Directories that this process has locked. */
const held = new Set<string>();

/**
 * Locks a directory against other coordinators, this machine's and others that share the disk.
 * @param onWaiting - told why when it takes time.
 * @param onLost - somebody else has taken the lock, as they may while this process is stopped for long.
 * @throws JobError BAD_RUN_DIRECTORY when another process goes on using it.
 */
export async function lockRun(
  directory: string,
  onWaiting: (reason: string) => void,
  onLost: (error: Error) => void,
): Promise<RunLock> {
  const lockfilePath = join(directory, '.lock');
  const deadline = performance.now() + staleMs + renewMs;
  for (let told = ''; ;) {
    try {
      return await hold(directory, lockfilePath, onLost);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      const { action, reason } = held.has(directory)
        ? ({ action: 'refuse', reason: 'this process is using it' } as const)
        : decideLock(await look(directory, lockfilePath));
      if (action === 'take') await takeAway(lockfilePath);
      else if (action === 'refuse' || performance.now() > deadline) throw inUse(directory, reason, error);
      else {
        if (reason !== told) onWaiting(`run directory ${directory}: ${(told = reason)}; waiting up to 20 s for it`);
        await sleep(250);
      }
    }
  }
}

/** Takes the lock and keeps it; takes it again after a long sleep of this process, unless somebody else did. */
async function hold(directory: string, lockfilePath: string, onLost: (error: Error) => void): Promise<RunLock> {
  const [host, pid] = [hostname(), process.pid];
  let release: (() => Promise<void>) | undefined;
  const take = async () => {
    const onCompromised = (error: Error) => void takeAgain(error);
    release = await lock(directory, { lockfilePath, stale: staleMs, update: renewMs, onCompromised });
    const holder: LockHolder = { host, pid, lockedAtMs: await birth(lockfilePath) };
    await writeFile(holderPath(directory), JSON.stringify(holder));
  };
  const takeAgain = async (error: Error) => {
    const holder = await readHolder(directory);
    if (holder?.host === host && holder.pid === pid) await take().catch(() => onLost(error));
    else onLost(error);
  };
  await take();
  held.add(directory);
  return {
    release: async () => {
      held.delete(directory);
      await rm(holderPath(directory), { force: true });
      await release?.().catch(() => undefined);
    },
  };
}

/**
 * Whether a coordinator is using a run's directory: its lock is there, and its holder is alive or, where that cannot
 * be known, has renewed it of late.
 */
export async function isInUse(directory: string, nowMs: number): Promise<boolean> {
  const lockfilePath = join(directory, '.lock');
  const renewedMs = await stat(lockfilePath).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
  if (renewedMs === undefined) return false;
  const { action } = decideLock(await look(directory, lockfilePath));
  return action === 'refuse' || (action === 'wait' && nowMs - renewedMs < staleMs);
}

async function look(directory: string, lockfilePath: string): Promise<HeldLock> {
  const holder = await readHolder(directory);
  return {
    holder,
    lockedAtMs: await birth(lockfilePath),
    self: { host: hostname(), pid: process.pid },
    isAlive: holder !== undefined && isProcess(holder.pid),
  };
}

function holderPath(directory: string): string {
  return join(directory, '.lock.json');
}

async function readHolder(directory: string): Promise<LockHolder | undefined> {
  return parseHolder(await readFile(holderPath(directory), 'utf8').catch(() => ''));
}

/** The file is written after the lock is made, so it may be missing, incomplete, or that of the lock before. */
function parseHolder(text: string): LockHolder | undefined {
  try {
    const { host, pid, lockedAtMs } = JSON.parse(text) as Record<string, unknown>;
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof lockedAtMs !== 'number') return undefined;
    return { host, pid, lockedAtMs };
  } catch {
    return undefined;
  }
}

/** When the lock was made; it keeps that while it is renewed. NaN when it is gone by now. */
async function birth(path: string): Promise<number> {
  return stat(path).then(
    ({ birthtimeMs }) => birthtimeMs,
    () => NaN,
  );
}

/** Removes a lock by renaming, so that of two who do it one only gets it. */
async function takeAway(lockfilePath: string): Promise<void> {
  const aside = `${lockfilePath}.${process.pid}`;
  await rename(lockfilePath, aside).then(
    () => rmdir(aside),
    () => undefined,
  );
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(directory: string, reason: string, cause: unknown): JobError {
  return new JobError(
    'BAD_RUN_DIRECTORY',
    `run directory ${directory}: expected one that nobody is using, got one in use: ${reason}; ` +
      'wait for that run, or pass another --run DIR',
    { cause },
  );
}

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { decideLock, type LockHolder, lockRun } from '../../coordinator/run-lock.js';

const self = { host: 'a', pid: 10 };
const holder: LockHolder = { host: 'a', pid: 20, lockedAtMs: 1_000 };

describe('decideLock', () => {
  it.each([
    ['a process of this machine that is gone', { holder, isAlive: false }, 'take', 'process 20 on a is gone'],
    ['one that is there', { holder, isAlive: true }, 'refuse', 'process 20 on a is using it'],
    [
      'one with our own id, as in a container that starts again',
      { holder: { ...holder, pid: 10 }, isAlive: true },
      'take',
      "process 10 on a was this process's predecessor",
    ],
    [
      'a process of another machine',
      { holder: { ...holder, host: 'b' }, isAlive: false },
      'wait',
      'process 20 on b holds it',
    ],
    ['nobody known', { holder: undefined, isAlive: false }, 'wait', 'an unknown process holds it'],
    [
      'the holder of an earlier lock',
      { holder: { ...holder, lockedAtMs: 999 }, isAlive: false },
      'wait',
      'an unknown process holds it',
    ],
  ] as const)('held by %s', (_, found, action, reason) => {
    expect(decideLock({ lockedAtMs: 1_000, self, ...found })).toEqual({ action, reason });
  });
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lockstep-lock-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

async function locked(onWaiting: (reason: string) => void = () => undefined) {
  const lock = await lockRun(directory, onWaiting, () => undefined);
  onTestFinished(() => lock.release());
  return lock;
}

/** A lock with the reasons for which it was lost. `sleep` makes it look as if this process had slept for a minute. */
async function watchedLock() {
  const lost: Error[] = [];
  const lock = await lockRun(
    directory,
    () => undefined,
    (error) => lost.push(error),
  );
  onTestFinished(() => lock.release());
  const longAgo = new Date(Date.now() - 60_000);
  return { lost, sleep: () => utimesSync(join(directory, '.lock'), longAgo, longAgo) };
}

describe('the lock of a run directory', () => {
  it('names its holder, and leaves nothing when it is released', async () => {
    const lock = await locked();
    const written = JSON.parse(readFileSync(join(directory, '.lock.json'), 'utf8')) as LockHolder;
    expect(written).toMatchObject({ host: hostname(), pid: process.pid });
    await lock.release();
    expect(existsSync(join(directory, '.lock'))).toBe(false);
    expect(existsSync(join(directory, '.lock.json'))).toBe(false);
  });

  it('is refused while this process holds it', async () => {
    await locked();
    await expect(locked()).rejects.toThrow(
      `run directory ${directory}: expected one that nobody is using, got one in use: this process is using it; ` +
        'wait for that run, or pass another --run DIR',
    );
  });

  it('is refused while another process holds it, and taken over at once when that one was killed', async () => {
    const module = new URL('../../dist/coordinator/run-lock.js', import.meta.url).href;
    const script = `const { lockRun } = await import(${JSON.stringify(module)});
      await lockRun(${JSON.stringify(directory)}, () => {}, () => {}); console.log('locked'); setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void other.kill('SIGKILL'));
    await new Promise((resolve) => other.stdout.once('data', resolve));
    await expect(locked()).rejects.toThrow(`process ${other.pid} on ${hostname()} is using it`);
    const ended = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await ended;
    const begin = performance.now();
    await locked();
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  it('of another machine is waited for, and taken once nobody has renewed it for 15 s', async () => {
    const path = join(directory, '.lock');
    mkdirSync(path);
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);
    utimesSync(path, ago(14), ago(14));
    writeFileSync(join(directory, '.lock.json'), '{"host":"elsewhere","pid":1,"lo');
    const waiting: string[] = [];
    await locked((reason) => waiting.push(reason));
    expect(waiting).toEqual([`run directory ${directory}: an unknown process holds it; waiting up to 20 s for it`]);
  });

  it('is taken again after a long sleep in which nobody else took it', async () => {
    const { lost, sleep } = await watchedLock();
    sleep();
    await expect
      .poll(() => statSync(join(directory, '.lock')).mtimeMs, { timeout: 15_000 })
      .toBeGreaterThan(Date.now() - 30_000);
    expect(lost).toEqual([]);
    expect(JSON.parse(readFileSync(join(directory, '.lock.json'), 'utf8'))).toMatchObject({ pid: process.pid });
  }, 20_000);

  it('is lost when somebody else took it meanwhile', async () => {
    const { lost, sleep } = await watchedLock();
    writeFileSync(join(directory, '.lock.json'), JSON.stringify({ host: 'another', pid: 1, lockedAtMs: Date.now() }));
    sleep();
    await expect.poll(() => lost.length, { timeout: 15_000 }).toBe(1);
  }, 20_000);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { isInUse, lockRun } from '../../../run/lock/run-lock.js';
import { within } from '../../proto/wire.js';
import { runs, thorough } from '../../thorough.js';

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

const inLock = () => readdirSync(join(directory, '.lock'));
const fileOf = (name: string) => join(directory, '.lock', name);

/** Writes a file into the lock, as its holder does. @param ageSeconds - time since its last renewal. */
function heldBy(name: string, ageSeconds = 0): void {
  mkdirSync(join(directory, '.lock'), { recursive: true });
  writeFileSync(fileOf(name), '');
  const at = new Date(Date.now() - ageSeconds * 1000);
  utimesSync(fileOf(name), at, at);
}

/** A lock, and the errors reported when it was lost. */
async function watchedLock() {
  const lost: Error[] = [];
  const lock = await lockRun(
    directory,
    () => undefined,
    (error) => lost.push(error),
  );
  onTestFinished(() => lock.release());
  return { lost, name: inLock()[0]! };
}

const script = `const { lockRun } = await import(${JSON.stringify(new URL('../../../dist/run/lock/run-lock.js', import.meta.url).href)});
  process.on('message', async ({ directory, atMs }) => {
    while (Date.now() < atMs);
    const answer = await lockRun(directory, () => {}, () => {}).then(() => 'locked', (error) => error.message);
    process.send(answer);
  });
  process.send('ready');`;

/** A process that locks each directory it is sent, and answers with the outcome. */
async function locker(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await within(once(child, 'message'), 'a process that is ready', 20_000);
  return child;
}

async function askToLock(child: ChildProcess, path: string, atMs = 0): Promise<string> {
  const answered = once(child, 'message');
  child.send({ directory: path, atMs });
  const [answer] = (await within(answered, 'an answer', 20_000)) as [string];
  return answer;
}

describe('the lock of a run directory', () => {
  it('names its holder, and leaves nothing when it is released', async () => {
    const lock = await locked();
    expect(inLock()).toEqual([expect.stringMatching(new RegExp(`^${hostname()}_${process.pid}_[0-9a-f]{12}$`))]);
    await lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is refused while this process holds it', async () => {
    await locked();
    await expect(locked()).rejects.toThrow(
      `run directory ${directory}: expected one that is not in use, got one in use: this process is using it; ` +
        'wait for that run, or pass another --run DIR',
    );
  });

  it('is refused while another process holds it, and taken over at once when that one was killed', async () => {
    const other = await locker();
    expect(await askToLock(other, directory)).toBe('locked');
    await expect(locked()).rejects.toThrow(`process ${other.pid} on ${hostname()} is using it`);
    expect(await isInUse(directory, Date.now())).toBe(true);
    const ended = once(other, 'exit');
    other.kill('SIGKILL');
    await ended;
    expect(await isInUse(directory, Date.now())).toBe(false);
    await locked((reason) => expect.fail(`expected no wait, got: ${reason}`));
  });

  it('has one holder, however many processes race for it', async () => {
    const lockers = await Promise.all(Array.from({ length: thorough ? 6 : 3 }, locker));
    const dead = `${encodeURIComponent(hostname())}_4194999_ab`;
    for (let round = 0; round < runs(60); round++) {
      const path = join(directory, `run-${round}`);
      mkdirSync(round % 3 === 0 ? path : join(path, '.lock'), { recursive: true });
      if (round % 3 === 2) writeFileSync(join(path, '.lock', dead), '');
      // All at the same moment, as far as the number of cores allows.
      const atMs = Date.now() + 5;
      const answers = await Promise.all(lockers.map((child) => askToLock(child, path, atMs)));
      expect(answers.filter((answer) => answer === 'locked')).toHaveLength(1);
      for (const answer of answers) expect(answer).toMatch(/^locked$|is using it; /);
      expect(readdirSync(path)).toEqual(['.lock']);
      expect(readdirSync(join(path, '.lock'))).toHaveLength(1);
    }
  }, 60_000);

  it('of another machine is waited for, and taken once it has not been renewed for 15 s', async () => {
    heldBy('elsewhere_1_ab', 14);
    expect(await isInUse(directory, Date.now())).toBe(true);
    const waiting: string[] = [];
    await locked((reason) => waiting.push(reason));
    expect(waiting).toEqual([`run directory ${directory}: process 1 on elsewhere holds it; waiting up to 20 s for it`]);
    expect(inLock()).toEqual([expect.stringContaining(`_${process.pid}_`)]);
  }, 30_000);

  it('is kept after a long sleep if nobody else took it', async () => {
    const { lost, name } = await watchedLock();
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(fileOf(name), longAgo, longAgo);
    await expect.poll(() => statSync(fileOf(name)).mtimeMs, { timeout: 15_000 }).toBeGreaterThan(Date.now() - 30_000);
    expect(lost).toEqual([]);
  }, 20_000);

  it('is lost if somebody else took it meanwhile, whose lock stays', async () => {
    const { lost, name } = await watchedLock();
    renameSync(fileOf(name), fileOf('another_1_ab'));
    await expect.poll(() => lost.length, { timeout: 15_000 }).toBe(1);
    expect(inLock()).toEqual(['another_1_ab']);
  }, 20_000);

  it("that can't be written reports it", async () => {
    writeFileSync(join(directory, '.lock'), 'a file');
    await expect(locked()).rejects.toMatchObject({
      code: 'BAD_RUN_DIRECTORY',
      message: expect.stringMatching(
        /^run directory: expected to write \S+\.lock, got ENOTDIR: .*; make room on that disk or grant access/,
      ) as string,
    });
    expect(readdirSync(directory)).toEqual(['.lock']);
    expect(existsSync(join(directory, '.lock'))).toBe(true);
  });
});

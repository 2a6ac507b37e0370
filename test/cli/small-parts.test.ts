import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newRunDirectory } from '../../cli/run-path.js';
import { readToken } from '../../cli/token.js';
import { coresIn, decideWorkers, resolveWorkers } from '../../cli/workers-auto.js';

describe('the number of local workers', () => {
  it.each([
    [8, 16, 5, 1, 5],
    [2, 4, 5, 1, 2],
    [2, 1, 5, 1, 1],
    [64, 3, 5, 1, 3],
    [4, 4, 1, 1, 1],
    [0, 4, 5, 1, 1],
    [8, 16, 5, 2, 4],
    [3, 3, 5, 2, 1],
    [1, 2, 5, 2, 1],
  ])('with %i physical cores, %i usable, %i shards and %i threads each is %i', (...room) => {
    const [physicalCores, usableCores, shards, threads, workers] = room;
    expect(decideWorkers({ physicalCores, usableCores, shards, threads })).toBe(workers);
  });

  const processor = (socket: number, core: number) =>
    `processor\t: 0\nmodel name\t: X\nphysical id\t: ${socket}\nsiblings\t: 2\ncore id\t\t: ${core}\nflags\t\t: fpu\n`;
  it.each([
    ['two cores', [processor(0, 0), processor(0, 1)], 2],
    ['two threads of one core', [processor(0, 0), processor(0, 0)], 1],
    ['the same core number in two sockets', [processor(0, 3), processor(1, 3)], 2],
    ['processors that do not tell', ['processor\t: 0\nBogoMIPS\t: 50\n'], 0],
    ['nothing', [], 0],
  ])('knows the physical cores of %s', (_, processors, cores) => {
    expect(coresIn(processors.join('\n'))).toBe(cores);
  });

  it('is at least one and at most the shards when this machine is asked', async () => {
    expect(await resolveWorkers('auto', 1, 1)).toBe(1);
    const many = await resolveWorkers('auto', 1024, 1);
    expect(Number.isInteger(many) && many >= 1 && many <= 1024).toBe(true);
  });

  it.each([
    ['1', 1],
    ['7', 7],
    ['1024', 1024],
  ])('is %s as told, also beyond the shards', async (text, workers) => {
    expect(await resolveWorkers(text, 1, 1)).toBe(workers);
  });

  it.each(['', '0', '-1', '1.5', '1025', 'two', 'Auto', 'NaN'])('is not "%s"', async (text) => {
    await expect(resolveWorkers(text, 5, 1)).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: `--workers: expected auto or a number from 1 to 1024, got "${text}"`,
    });
  });
});

describe('a token file', () => {
  const token = 'x'.repeat(16);
  const fileWith = (content: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'lockstep-token-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, 'secret.txt');
    writeFileSync(path, content);
    return path;
  };

  it('may be left out', () => expect(readToken(undefined)).toBeUndefined());

  it.each([
    ['a line', `${token}\n`, token],
    ['white space around it', `  ${token}\r\n\n`, token],
    ['4096 characters', '~'.repeat(4096), '~'.repeat(4096)],
  ])('gives its token with %s', (_, content, expected) => {
    expect(readToken(fileWith(content))).toBe(expected);
  });

  it.each([
    ['nothing', ''],
    ['15 characters', 'x'.repeat(15)],
    ['4097 characters', 'x'.repeat(4097)],
    ['two lines', `${token}\n${token}`],
    ['a blank within', `${token} ${token}`],
    ['letters beyond ASCII', `${token}ä`],
  ])('is refused with %s, without a word of its content', (_, content) => {
    const path = fileWith(content);
    const read = () => readToken(path);
    expect(read).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        message: expect.stringContaining(`--token-file ${path}: `) as string,
      }),
    );
    expect(read).toThrow(/openssl rand -hex 32$/);
    expect(read).not.toThrow(/xxxx/);
  });

  it('is refused when it is not there', () => {
    expect(() => readToken('/nowhere/secret.txt')).toThrow(/^--token-file: expected a readable file, got ENOENT/);
  });
});

describe('a new run directory', () => {
  it('has the job and the time to the millisecond in its name', () => {
    const now = new Date('2026-01-31T14:25:01.073Z');
    expect(newRunDirectory('runs', 'cluster-cnn3', now)).toBe(join('runs', 'cluster-cnn3-20260131-142501-073'));
  });
});

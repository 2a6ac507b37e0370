import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { commandName } from '../../cli/command-name.js';
import { newRunDirectory } from '../../cli/runs/run-path.js';
import { readToken } from '../../cli/options/token.js';

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

  it('is refused when it does not exist', () => {
    expect(() => readToken('/nowhere/secret.txt')).toThrow(/^--token-file: expected a readable file, got ENOENT/);
  });
});

describe('a new run directory', () => {
  it('has the job and the time to the millisecond in its name', () => {
    const now = new Date('2026-01-31T14:25:01.073Z');
    expect(newRunDirectory('runs', 'cluster-cnn3', now)).toBe(join('runs', 'cluster-cnn3-20260131-142501-073'));
  });
});

describe('the command that messages name', () => {
  it.each([
    ['/usr/local/bin/lockstep', undefined, 'lockstep'],
    [join(process.cwd(), 'dist/cli/main.js'), undefined, 'node dist/cli/main.js'],
    ['/a/node_modules/.bin/lockstep', 'exec', 'npx lockstep'],
  ])('works where %s was started, npm command %s', (script, npmCommand, expected) => {
    expect(commandName(script, npmCommand ?? '')).toBe(expected);
  });
});

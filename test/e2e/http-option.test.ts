import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { Command, lockstep, scratchDirectory, smallJob } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);
const run = (name: string) => ['--run', join(scratch.path, name)];

describe('lockstep train --http', () => {
  it('ends before anything starts when the requested port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const { code, stderr } = await lockstep(['train', ...smallJob, '--http', String(port), ...run('taken')]);
    expect(code).toBe(2);
    expect(stderr).toContain(`--http 127.0.0.1:${port}: expected a free port of this machine`);
    expect(stderr).toContain('pass another --http [HOST:]PORT (0 takes a free one), or --no-http');
  });

  it('refuses to listen beyond loopback without TLS and token', async () => {
    const { code, stderr } = await lockstep(['train', ...smallJob, '--http', '0.0.0.0:0', ...run('open')]);
    expect(code).toBe(2);
    expect(stderr).toContain('expected TLS and a token beyond loopback, got neither');
  });

  it('trains to the same bits with the page watched and without a page, and keeps the answers of the last test', async () => {
    const job = ['train', ...smallJob, '--workers', '1'];
    const quiet = await lockstep([...job, '--no-http', ...run('quiet')]);
    expect(quiet.stdout).not.toContain('Live page');
    const watched = new Command([...job, '--http', '0', ...run('watched')]);
    onTestFinished(() => watched.kill());
    const [, address] = await watched.until(/Live page: (http:\S+)/);
    await watched.until(/Train Epoch/);
    const reading = fetch(`${address}api/events`, { headers: { Connection: 'close' } }).then((answer) => answer.text());
    const ended = await watched.ended;
    expect(ended.code).toBe(0);
    const digest = /Final digest: [0-9a-f]{64}/.exec(quiet.stdout)?.[0];
    expect(digest).toBeDefined();
    expect(ended.stdout).toContain(digest);
    expect(await reading).toContain('event: over');
    const { readFile } = await import('node:fs/promises');
    const answers = await readFile(join(scratch.path, 'watched', 'predictions.csv'), 'utf8');
    expect(answers.trim().split('\n')).toHaveLength(1 + 205);
    expect(answers).toBe(await readFile(join(scratch.path, 'quiet', 'predictions.csv'), 'utf8'));
  });
});

describe('lockstep coordinator --health', () => {
  it('answers probes even before the first worker, over plain HTTP', async () => {
    const started = new Command([
      'coordinator',
      ...smallJob,
      '--listen',
      '127.0.0.1:0',
      '--health',
      '0',
      ...run('health'),
    ]);
    onTestFinished(() => started.kill());
    const [, address] = await started.until(/Health: (http:\S+)/);
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/healthz$/);
    const answer = await fetch(address!);
    expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
  });

  it('refuses an invalid address', async () => {
    const { code, stderr } = await lockstep(['coordinator', ...smallJob, '--health', 'here', ...run('no-place')]);
    expect(code).toBe(2);
    expect(stderr).toContain('--health: expected HOST:PORT with a port of 0 to 65535, got "here"');
  });
});

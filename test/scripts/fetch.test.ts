import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { loopbackServer } from '../data/loopback-server.js';

const script = fileURLToPath(new URL('../../scripts/fetch.mjs', import.meta.url));

/** The script next to a record of one file with these bytes, and a server that answers with `served`. */
async function setUp(recorded: string, served: string) {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-fetch-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const { url } = await loopbackServer((_, response) => response.end(served));
  const sha256 = createHash('sha256').update(recorded).digest('hex');
  copyFileSync(script, join(directory, 'fetch.mjs'));
  writeFileSync(join(directory, 'downloads.json'), JSON.stringify({ tool: { version: '1', url, sha256 } }));
  const fetch = (name: string) =>
    new Promise<{ code: number | string | undefined; stderr: string }>((resolve) => {
      const args = [join(directory, 'fetch.mjs'), name, join(directory, 'tool')];
      execFile(process.execPath, args, { timeout: 10_000 }, (error, _stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stderr }),
      );
    });
  const files = () => readdirSync(directory).filter((name) => name.startsWith('tool'));
  return { directory, sha256, fetch, files };
}

it('keeps a file with the recorded SHA-256', async () => {
  const { directory, fetch } = await setUp('the bytes', 'the bytes');
  expect(await fetch('tool')).toEqual({ code: 0, stderr: '' });
  expect(readFileSync(join(directory, 'tool'), 'utf8')).toBe('the bytes');
});

it('removes a file with another one, and reports the expected one', async () => {
  const { sha256, fetch, files } = await setUp('the bytes', 'other bytes');
  const { code, stderr } = await fetch('tool');
  expect(code).toBe(1);
  expect(stderr).toContain(
    `expected SHA-256 ${sha256}, got ${createHash('sha256').update('other bytes').digest('hex')}`,
  );
  expect(files()).toEqual([]);
});

it('refuses a name without a record', async () => {
  const { fetch, files } = await setUp('', '');
  expect(await fetch('constructor')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('one of tool') as string,
  });
  expect(files()).toEqual([]);
});

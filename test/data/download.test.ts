import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decideResponse, download } from '../../data/download.js';
import { loopbackServer, sendFile } from './loopback-server.js';
import { temporaryDirectory } from './small-cifar10.js';

const content = Buffer.from(Array.from({ length: 200_000 }, (_, k) => (k * 31 + (k >> 8)) & 255));
const sha256 = createHash('sha256').update(content).digest('hex');

async function setUp(url: string) {
  const directory = await temporaryDirectory();
  const target = join(directory, 'file.tar.gz');
  return { directory, target, part: `${target}.part`, options: { url, target, sha256, backoffMs: 1 } };
}

describe('decideResponse', () => {
  const whole = { kind: 'write', from: 0, total: 100 };
  it.each([
    ['the whole file', 200, { 'content-length': '100' }, 0, whole],
    ['the whole file though a rest was asked for', 200, { 'content-length': '100' }, 40, whole],
    ['a file of unknown length', 200, {}, 0, { kind: 'write', from: 0, total: undefined }],
    ['the rest', 206, { 'content-range': 'bytes 40-99/100' }, 40, { kind: 'write', from: 40, total: 100 }],
    [
      'the rest of unknown length',
      206,
      { 'content-range': 'bytes 40-99/*' },
      40,
      { kind: 'write', from: 40, total: undefined },
    ],
    ['another range', 206, { 'content-range': 'bytes 30-99/100' }, 40, { kind: 'restart' }],
    ['a range that is not named', 206, {}, 40, { kind: 'restart' }],
    ['nothing beyond what we have', 416, { 'content-range': 'bytes */40' }, 40, { kind: 'complete' }],
    ['a file shorter than what we have', 416, { 'content-range': 'bytes */30' }, 40, { kind: 'restart' }],
    ['no range though none was asked for', 416, {}, 0, { kind: 'refused' }],
    ['a fault of the server', 503, {}, 0, { kind: 'retry' }],
    ['too many requests', 429, {}, 0, { kind: 'retry' }],
    ['no such file', 404, {}, 40, { kind: 'refused' }],
  ] as const)('knows what to do with %s', (_, status, headers, have, plan) => {
    expect(decideResponse(status, new Headers(headers), have)).toMatchObject(plan);
  });
});

describe('download', () => {
  it('fetches the file, reports progress up to the total, leaves nothing else behind', async () => {
    const server = await loopbackServer((request, response) => sendFile(request, response, content));
    const { directory, target, options } = await setUp(server.url);
    const progress: [number, number | undefined][] = [];
    await download({ ...options, onProgress: (bytes, total) => progress.push([bytes, total]) });
    expect(Buffer.compare(await readFile(target), content)).toBe(0);
    expect(progress.at(-1)).toEqual([200_000, 200_000]);
    expect(progress.map(([bytes]) => bytes)).toEqual(progress.map(([bytes]) => bytes).sort((a, b) => a - b));
    expect(await readdir(directory)).toEqual(['file.tar.gz']);
  });

  it('resumes where the connection broke off', async () => {
    const server = await loopbackServer((request, response, number) =>
      sendFile(request, response, content, number === 0 ? 100_000 : undefined),
    );
    const { target, options } = await setUp(server.url);
    await download(options);
    expect(Buffer.compare(await readFile(target), content)).toBe(0);
    expect(server.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-']);
  });

  it('resumes the partial file of an earlier process', async () => {
    const server = await loopbackServer((request, response) => sendFile(request, response, content));
    const { target, part, options } = await setUp(server.url);
    await writeFile(part, content.subarray(0, 150_000));
    await download(options);
    expect(Buffer.compare(await readFile(target), content)).toBe(0);
    expect(server.requests.map(({ range }) => range)).toEqual(['bytes=150000-']);
  });

  it('requests nothing more when the partial file is already complete', async () => {
    const server = await loopbackServer((request, response) => sendFile(request, response, content));
    const { target, part, options } = await setUp(server.url);
    await writeFile(part, content);
    await download(options);
    expect(Buffer.compare(await readFile(target), content)).toBe(0);
  });

  it('starts over if the server ignores Range', async () => {
    const server = await loopbackServer((request, response, number) => {
      delete request.headers.range;
      sendFile(request, response, content, number === 0 ? 100_000 : undefined);
    });
    const { target, options } = await setUp(server.url);
    await download(options);
    expect(Buffer.compare(await readFile(target), content)).toBe(0);
    expect(server.requests[1]!.range).toBe('bytes=100000-');
  });

  it.each([
    ['longer than the file', Buffer.alloc(250_000)],
    ['of another file', Buffer.alloc(100_000)],
  ])('starts over if the partial file is %s', async (_, left) => {
    const server = await loopbackServer((request, response) => sendFile(request, response, content));
    const { target, part, options } = await setUp(server.url);
    await writeFile(part, left);
    await download(options);
    expect(Buffer.compare(await readFile(target), content)).toBe(0);
    expect(server.requests.at(-1)!.range).toBeUndefined();
  });

  it('reports expected and found SHA-256, and removes the file, when the bytes are wrong', async () => {
    const server = await loopbackServer((request, response) => sendFile(request, response, Buffer.from('other bytes')));
    const { directory, options } = await setUp(server.url);
    const found = createHash('sha256').update('other bytes').digest('hex');
    await expect(download(options)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining(
        `download: expected SHA-256 ${sha256}, got ${found}; ${server.url}; the file was deleted`,
      ) as string,
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it('gives up on a server that always breaks off at the same place, and keeps the partial file', async () => {
    const server = await loopbackServer((request, response) => {
      delete request.headers.range;
      sendFile(request, response, content, 100_000);
    });
    const { directory, options } = await setUp(server.url);
    await expect(download(options)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('(5 attempts)') as string,
    });
    expect(await readdir(directory)).toEqual(['file.tar.gz.part']);
  });

  it('gives up after a silence, and reports how long it waited', async () => {
    const server = await loopbackServer((_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 10));
    });
    const { options } = await setUp(server.url);
    await expect(download({ ...options, stallMs: 50 })).rejects.toThrow('got no bytes for 0.05 s');
  });

  it('tries once only if the server has no such file', async () => {
    const server = await loopbackServer((_, response) => void response.writeHead(404).end());
    const { options } = await setUp(server.url);
    await expect(download(options)).rejects.toThrow('got HTTP status 404');
    expect(server.requests.length).toBe(1);
  });

  it('tries only a second time if nothing was ever answered', async () => {
    const server = await loopbackServer((_, response) => void response.destroy());
    const { options } = await setUp(server.url);
    await expect(download(options)).rejects.toThrow(/got .*\(2 attempts\)/);
    expect(server.requests.length).toBe(2);
  });
});

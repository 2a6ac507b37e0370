import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../data/index.js';
import { installCifar10, unpackArchive } from '../../data/install.js';
import { loopbackServer, sendFile } from './loopback-server.js';
import { SMALL, smallBatch, temporaryDirectory, writeSmallArchive, writeSmallCifar10 } from './small-cifar10.js';

/** A server with a small archive, and options that make it the official one. */
async function mirror() {
  const archive = await readFile(await writeSmallArchive(await temporaryDirectory()));
  const server = await loopbackServer((request, response) => sendFile(request, response, archive));
  const sha256 = createHash('sha256').update(archive).digest('hex');
  return { server, options: { baseUrl: server.url, sha256, imagesPerFile: SMALL, backoffMs: 1 } };
}

describe('installCifar10', () => {
  it('leaves the unpacked files and a marker with their digests, nothing else', async () => {
    const { server, options } = await mirror();
    const directory = join(await temporaryDirectory(), 'new', 'place');
    const { path } = await installCifar10(directory, options);
    expect(server.requests.map((request) => request.path)).toEqual(['/cifar-10-binary.tar.gz']);
    expect(await readdir(directory)).toEqual(['cifar-10-batches-bin']);
    expect(Buffer.compare(await readFile(join(path, 'data_batch_2.bin')), smallBatch(1))).toBe(0);
    const marker = JSON.parse(await readFile(join(path, 'lockstep-source.json'), 'utf8')) as {
      archiveSha256: string;
      sha256: Record<string, string>;
    };
    expect(marker.archiveSha256).toBe(options.sha256);
    expect(Object.keys(marker.sha256).length).toBe(6);
    expect(marker.sha256['test_batch.bin']).toBe(createHash('sha256').update(smallBatch(5)).digest('hex'));
  });

  it('downloads once when two ask at the same time; the other one waits and is notified', async () => {
    const { server, options } = await mirror();
    const directory = await temporaryDirectory();
    let waits = 0;
    const ask = () => installCifar10(directory, { ...options, onWait: () => waits++ });
    const [one, two] = await Promise.all([ask(), ask()]);
    expect(one).toEqual(two);
    expect(server.requests.length).toBe(1);
    expect(waits).toBe(1);
  });

  it('replaces the remains of an interrupted extraction', async () => {
    const directory = await temporaryDirectory();
    const archive = await writeSmallArchive(directory);
    await mkdir(join(directory, 'cifar-10-batches-bin.part'));
    await writeFile(join(directory, 'cifar-10-batches-bin.part', 'half.bin'), '');
    const { path } = await unpackArchive(archive, directory, SMALL);
    expect((await readdir(path)).sort()).toEqual([
      ...[1, 2, 3, 4, 5].map((k) => `data_batch_${k}.bin`),
      'lockstep-source.json',
      'test_batch.bin',
    ]);
  });

  it("gives advice if the directory can't be made", async () => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    await expect(installCifar10(join(file, 'below'))).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/expected a writable directory .*ENOTDIR.* --to DIR$/) as string,
    });
  });
});

describe('openDataset', () => {
  const refuse = () => loopbackServer((_, response) => void response.writeHead(404).end());

  it('downloads missing data into the cache, and reads it from there the next time', async () => {
    const { server, options } = await mirror();
    const cwd = await temporaryDirectory();
    const open = () => openDataset({ ...options, dataset: 'cifar10', cwd, cache: join(cwd, 'cache') });
    expect((await open()).train.count).toBe(15);
    expect((await open()).train.count).toBe(15);
    expect(server.requests.length).toBe(1);
  });

  it('reads ./data without a network request', async () => {
    const { server, options } = await mirror();
    const cwd = await temporaryDirectory();
    await writeSmallCifar10(join(cwd, 'data'));
    const dataset = await openDataset({ ...options, dataset: 'cifar10', cwd, cache: join(cwd, 'cache') });
    expect(dataset.title).toBe('CIFAR-10 (unverified copy)');
    expect(server.requests.length).toBe(0);
  });

  it("stops with the places and the reason when CIFAR-10 can't be found or downloaded", async () => {
    const server = await refuse();
    const cwd = await temporaryDirectory();
    const cache = join(cwd, 'cache');
    await expect(openDataset({ dataset: 'cifar10', cwd, cache, baseUrl: server.url })).rejects.toMatchObject({
      code: 'NO_DATA',
      message: expect.stringMatching(
        /^open dataset: expected CIFAR-10, got none; .*\/data, cache directory: .*HTTP status 404.*lockstep data download/,
      ) as string,
    });
  });

  it('makes no network request if downloads are off', async () => {
    const server = await refuse();
    const cwd = await temporaryDirectory();
    const options = {
      dataset: 'cifar10',
      cwd,
      cache: join(cwd, 'cache'),
      baseUrl: server.url,
      download: false,
    } as const;
    await expect(openDataset(options)).rejects.toMatchObject({ code: 'NO_DATA' });
    expect(server.requests.length).toBe(0);
  });

  it("uses the synthetic dataset only if allowed, and only when CIFAR-10 can't be found or downloaded", async () => {
    const server = await refuse();
    const cwd = await temporaryDirectory();
    const options = {
      dataset: 'cifar10',
      cwd,
      cache: join(cwd, 'cache'),
      baseUrl: server.url,
      allowSynthetic: true,
      limit: 20,
    } as const;
    const dataset = await openDataset(options);
    expect([dataset.name, dataset.title, dataset.synthetic]).toEqual([
      'synthetic',
      'synthetic dataset (not CIFAR-10), first 20 images of each batch',
      true,
    ]);
    expect(server.requests.length).toBe(1);
  });

  it.each(['path', 'envPath'])(
    'does not use the synthetic dataset for a wrong location given by the user (%s)',
    async (key) => {
      const cwd = await temporaryDirectory();
      await expect(
        openDataset({ dataset: 'cifar10', cwd, [key]: 'nowhere', allowSynthetic: true }),
      ).rejects.toMatchObject({ code: 'NO_DATA', message: expect.stringContaining(join(cwd, 'nowhere')) as string });
    },
  );

  it('does not use the synthetic dataset for invalid data', async () => {
    const cwd = await temporaryDirectory();
    await writeSmallCifar10(join(cwd, 'data'));
    await writeFile(join(cwd, 'data', 'cifar-10-batches-bin', 'data_batch_1.bin'), '');
    await expect(openDataset({ dataset: 'cifar10', cwd, allowSynthetic: true })).rejects.toMatchObject({
      code: 'BAD_DATA',
    });
  });
});

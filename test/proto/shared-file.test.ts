import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHUNK_BYTES, CHUNK_VALUES, chunkFields, storeChunk } from '../../proto/chunks.js';
import { type SentChunk, SharedFile, withBytes } from '../../proto/shared-file.js';

/** Both ends of a file, in a session over vectors of so many values. */
function pair(values = 10): { coordinator: SharedFile; worker: SharedFile; fd: number } {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-shared-'));
  const fd = openSync(join(directory, 'file'), 'wx+');
  const [coordinator, worker] = [new SharedFile(fd, 'coordinator'), new SharedFile(fd, 'worker')];
  onTestFinished(() => {
    coordinator.close();
    rmSync(directory, { recursive: true });
  });
  for (const file of [coordinator, worker]) file.begin(values);
  return { coordinator, worker, fd };
}

const chunkOf = (...values: number[]) => chunkFields(Float32Array.from(values), 0);

/** The values that a sent chunk comes to at the other end. */
function received(file: SharedFile | undefined, sent: SentChunk): number[] {
  const target = new Float32Array(sent.shared ? sent.shared.bytes / 4 : sent.data.byteLength / 4);
  storeChunk(target, withBytes(file, sent, 'test'), 'test');
  return [...target];
}

function failure(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe('a shared file', () => {
  it('carries chunks both ways, in any order of turns, and the messages none of their bytes', () => {
    const { coordinator, worker } = pair();
    const there = [1, 2, 3].map((value) => coordinator.put(chunkOf(value, value / 3)));
    const back = [-1, -2].map((value) => worker.put(chunkOf(value)));
    expect([...there, ...back].map(({ data }) => data.byteLength)).toEqual([0, 0, 0, 0, 0]);
    expect(there.map((sent) => received(worker, sent))).toEqual([1, 2, 3].map((v) => [v, Math.fround(v / 3)]));
    expect(back.map((sent) => received(coordinator, sent))).toEqual([[-1], [-2]]);
  });

  it('has room for two vectors, and for more once the first chunks are taken; others travel in their messages', () => {
    const { coordinator, worker } = pair(6 * CHUNK_VALUES);
    const sent = Array.from({ length: 13 }, (_, i) => coordinator.put(chunkOf(i)));
    expect(sent.map(({ shared }) => shared?.index)).toEqual([...Array(12).keys(), undefined]);
    expect(received(worker, sent[12]!)).toEqual([12]);
    expect(sent.slice(0, 2).map((chunk) => received(worker, chunk))).toEqual([[0], [1]]);
    const more = [20, 21, 22].map((value) => coordinator.put(chunkOf(value)));
    expect(more.map(({ shared }) => shared?.index)).toEqual([12, 13, undefined]);
    expect([...sent.slice(2, 12), ...more].map((chunk) => received(worker, chunk)[0])).toEqual([
      ...[2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
      ...[20, 21, 22],
    ]);
  });

  it('stays small for large models', () => {
    const { coordinator } = pair(1000 * CHUNK_VALUES);
    const sent = Array.from({ length: 70 }, () => coordinator.put(chunkOf(1)));
    expect(sent.filter(({ shared }) => shared)).toHaveLength(64);
  });

  it('is empty again for the next session, whatever the last one left', () => {
    const { coordinator, worker } = pair();
    while (coordinator.put(chunkOf(1)).shared);
    for (const file of [coordinator, worker]) file.begin(10);
    const sent = [5, 6].map((value) => coordinator.put(chunkOf(value)));
    expect(sent.map(({ shared }) => shared?.index)).toEqual([8, 9]);
    expect(sent.map((chunk) => received(worker, chunk))).toEqual([[5], [6]]);
  });

  it('does not pass on bytes that are not those that were put there', () => {
    const { coordinator, worker, fd } = pair();
    const sent = coordinator.put(chunkOf(1, 2, 3));
    writeSync(fd, Uint8Array.of(99), 0, 1, 4096 + 5);
    expect(failure(() => received(worker, sent))).toMatchObject({ code: 'BAD_CHUNK' });
  });

  it.each([
    ['a number that is none', { index: NaN, bytes: 4 }],
    ['a negative number', { index: -1, bytes: 4 }],
    ['a number beyond doubles', { index: 2 ** 60, bytes: 4 }],
    ['more than a chunk', { index: 0, bytes: CHUNK_BYTES + 1 }],
  ])('refuses %s', (_, shared) => {
    const { worker } = pair();
    expect(failure(() => worker.take(shared, 'test'))).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  it('says so when there are no bytes, and when it is closed', () => {
    const { coordinator, worker } = pair();
    const none = { code: 'BAD_CHUNK', message: 'test: expected 4 bytes in the shared file, got fewer' };
    expect(failure(() => worker.take({ index: 3, bytes: 4 }, 'test'))).toMatchObject(none);
    const broken = new SharedFile(1 << 30, 'worker');
    broken.begin(10);
    expect(broken.put(chunkOf(1)).shared).toBeUndefined();
    expect(failure(() => broken.take({ index: 0, bytes: 4 }, 'test'))).toMatchObject(none);
    coordinator.close();
    coordinator.close();
    expect(coordinator.put(chunkOf(1)).shared).toBeUndefined();
    expect(failure(() => coordinator.take({ index: 0, bytes: 4 }, 'test'))).toMatchObject(none);
  });

  it('leaves chunks in their messages where the memory is full, and where nothing is shared', () => {
    const full = existsSync('/dev/full') ? new SharedFile(openSync('/dev/full', 'r+'), 'coordinator') : undefined;
    full?.begin(10);
    for (let i = 0; i < 3; i++) expect(full?.put(chunkOf(i)).shared).toBeUndefined();
    full?.close();
    expect(received(undefined, chunkOf(7))).toEqual([7]);
    const { worker } = pair();
    const unshared = {
      code: 'BAD_MESSAGE',
      message: 'test: expected bytes, got a place in a file that is not shared',
    };
    expect(failure(() => received(undefined, worker.put(chunkOf(7))))).toMatchObject(unshared);
  });

  it.skipIf(!existsSync('/dev/shm'))('is in memory and has no name', () => {
    const file = SharedFile.create()!;
    onTestFinished(() => file.close());
    const place = readlinkSync(`/proc/self/fd/${file.fd}`);
    expect(place).toMatch(/^\/dev\/shm\/lockstep-[0-9a-f]{24} \(deleted\)$/);
    expect(readdirSync('/dev/shm')).not.toContain(place.slice('/dev/shm/'.length));
    expect(readFileSync(`/proc/self/fd/${file.fd}`)).toHaveLength(0);
  });
});

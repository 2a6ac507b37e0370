import {
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHUNK_VALUES, storeChunk } from '../../../proto/chunks.js';
import { SharedFile, type SharedVector } from '../../../transport/local/shared-file.js';

/** Both ends of a file for vectors of this many values. */
function pair(values = 10): { coordinator: SharedFile; worker: SharedFile; fd: number } {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-shared-'));
  const fd = openSync(join(directory, 'file'), 'wx+');
  const [coordinator, worker] = [new SharedFile(fd, 'coordinator'), new SharedFile(fd, 'worker')];
  onTestFinished(() => {
    coordinator.close();
    rmSync(directory, { recursive: true });
  });
  for (const file of [coordinator, worker]) expect(file.open(values)).toBe(true);
  return { coordinator, worker, fd };
}

const vectorOf = (...values: number[]) => Float32Array.from(values);

/** The values that the other side reads of a vector that one side has written. */
function taken(file: SharedFile, shared: SharedVector): number[] {
  const into = new Float32Array(shared.bytes / 4);
  file.take(shared, into, 'test');
  return [...into];
}

function failure(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

function firstOf<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}

describe('a shared file', () => {
  it('carries vectors both ways', () => {
    const { coordinator, worker } = pair();
    const there = [1, 2].map((value) => coordinator.put(vectorOf(value, value / 3))!);
    const back = [-1, -2].map((value) => worker.put(vectorOf(value))!);
    expect(there.map((shared) => taken(worker, shared))).toEqual([1, 2].map((v) => [v, Math.fround(v / 3)]));
    expect(back.map((shared) => taken(coordinator, shared))).toEqual([[-1], [-2]]);
  });

  it('gives a vector chunk by chunk as well', () => {
    const vector = Float32Array.from({ length: 2 * CHUNK_VALUES + 3 }, (_, i) => i);
    const { coordinator, worker } = pair(vector.length);
    const result = new Float32Array(vector.length);
    const seen = [...coordinator.chunks(worker.put(vector)!, 'test')].map(({ chunk, chunks }) => [chunk, chunks]);
    expect(seen).toEqual([0, 1, 2].map((chunk) => [chunk, 3]));
    for (const chunk of coordinator.chunks(worker.put(vector)!, 'test')) storeChunk(result, chunk, 'test');
    expect(result).toEqual(vector);
    const empty = [...coordinator.chunks(worker.put(vectorOf())!, 'test')];
    expect(empty).toMatchObject([{ chunk: 0, chunks: 1, data: { byteLength: 0 } }]);
  });

  it.each([
    ['at once', (file: SharedFile, shared: SharedVector) => taken(file, shared)],
    ['in chunks', (file: SharedFile, shared: SharedVector) => [...file.chunks(shared, 'test')]],
  ])('has room for two vectors, and for one more when one is taken %s', (_, take) => {
    const { coordinator, worker } = pair();
    const sent = [1, 2, 3].map((value) => coordinator.put(vectorOf(value)));
    expect(sent.map((shared) => shared?.index)).toEqual([0, 1, undefined]);
    take(worker, sent[0]!);
    const more = [4, 5].map((value) => coordinator.put(vectorOf(value)));
    expect(more.map((shared) => shared?.index)).toEqual([2, undefined]);
    expect([sent[1]!, more[0]!].map((shared) => taken(worker, shared))).toEqual([[2], [4]]);
  });

  it.each<[string, (file: SharedFile, shared: SharedVector) => unknown]>([
    ['skipped', (file, shared) => file.skip(shared)],
    ['given up after its first chunk', (file, shared) => firstOf(file.chunks(shared, 'test'))],
    ['refused', (file, shared) => failure(() => file.take(shared, new Float32Array(3), 'test'))],
  ])('has room again after a vector that is %s, however many there are', (_, drop) => {
    const { coordinator, worker } = pair(2 * CHUNK_VALUES);
    const vector = new Float32Array(2 * CHUNK_VALUES);
    for (let index = 0; index < 7; index++) {
      expect(worker.put(vector)).toMatchObject({ index });
      drop(coordinator, { index, bytes: vector.byteLength });
    }
    const shared = worker.put(vectorOf(5))!;
    expect(taken(coordinator, shared)).toEqual([5]);
  });

  it('keeps the others when an impossible vector is skipped', () => {
    const { coordinator, worker } = pair();
    const shared = worker.put(vectorOf(5))!;
    for (const index of [NaN, -1, 2 ** 60]) coordinator.skip({ index, bytes: 4 });
    expect(worker.put(vectorOf(6))).toBeDefined();
    expect([worker.put(vectorOf(7)), taken(coordinator, shared)]).toEqual([undefined, [5]]);
  });

  it('does not carry vectors of over 16 MiB, nor longer ones than it was opened for', () => {
    const longest = 4 * 1024 * 1024;
    const { coordinator } = pair(longest);
    expect(coordinator.put(new Float32Array(longest))).toMatchObject({ bytes: 16 * 1024 * 1024 });
    expect(coordinator.open(longest + 1)).toBe(false);
    expect(pair(1024).coordinator.put(new Float32Array(1025))).toBeUndefined();
  });

  it('allocates all its memory when the coordinator opens it, and keeps its content when it is opened again', () => {
    const { coordinator, worker, fd } = pair(1025);
    expect(fstatSync(fd).size).toBe(4096 + 4 * 8192);
    const shared = coordinator.put(vectorOf(1, 2))!;
    expect(coordinator.open(1025)).toBe(true);
    expect(taken(worker, shared)).toEqual([1, 2]);
  });

  it.each([
    ['a number that is none', { index: NaN, bytes: 4 }],
    ['a negative number', { index: -1, bytes: 4 }],
    ['a number beyond doubles', { index: 2 ** 60, bytes: 4 }],
    ['half a value', { index: 0, bytes: 6 }],
    ['more than a vector', { index: 0, bytes: 4100 }],
  ])('refuses %s', (_, shared) => {
    const { worker } = pair();
    const into = { byteLength: shared.bytes } as Float32Array;
    expect(failure(() => [...worker.chunks(shared, 'test')])).toMatchObject({ code: 'BAD_MESSAGE' });
    expect(failure(() => worker.take(shared, into, 'test'))).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  it("rejects a vector whose length differs from its target's", () => {
    const { coordinator, worker } = pair();
    const shared = coordinator.put(vectorOf(1, 2))!;
    expect(failure(() => worker.take(shared, new Float32Array(3), 'test'))).toMatchObject({
      code: 'BAD_MESSAGE',
      message: 'test: expected 12 bytes in the shared file, got vector 0 of 8 bytes',
    });
  });

  it('reports missing bytes, and that it is closed', () => {
    const { coordinator, worker, fd } = pair();
    const [one, none] = [new Float32Array(1), { code: 'BAD_CHUNK' }];
    const message = 'test: expected 4 bytes in the shared file, got fewer';
    ftruncateSync(fd, 4096);
    expect(failure(() => worker.take({ index: 0, bytes: 4 }, one, 'test'))).toMatchObject({ ...none, message });
    const broken = new SharedFile(1 << 30, 'worker');
    expect(broken.open(10)).toBe(true);
    expect(broken.put(vectorOf(1))).toBeUndefined();
    expect(failure(() => broken.take({ index: 0, bytes: 4 }, one, 'test'))).toMatchObject(none);
    coordinator.close();
    coordinator.close();
    expect(coordinator.put(vectorOf(1))).toBeUndefined();
    expect(failure(() => coordinator.take({ index: 0, bytes: 4 }, one, 'test'))).toMatchObject(none);
  });

  it.skipIf(!existsSync('/dev/full'))("can't be opened without enough memory (needs /dev/full)", () => {
    const full = new SharedFile(openSync('/dev/full', 'r+'), 'coordinator');
    onTestFinished(() => full.close());
    expect(full.open(10)).toBe(false);
    expect(full.put(vectorOf(1))).toBeUndefined();
  });

  it.skipIf(!existsSync('/dev/shm'))('is in memory and has no name (needs /dev/shm)', () => {
    const file = SharedFile.create()!;
    onTestFinished(() => file.close());
    const place = readlinkSync(`/proc/self/fd/${file.fd}`);
    expect(place).toMatch(/^\/dev\/shm\/lockstep-[0-9a-f]{24} \(deleted\)$/);
    expect(readdirSync('/dev/shm')).not.toContain(place.slice('/dev/shm/'.length));
    expect(readFileSync(`/proc/self/fd/${file.fd}`)).toHaveLength(0);
  });
});

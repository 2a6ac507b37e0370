import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FairLimit } from '../../../operator/kube/fair-limit.js';
import { RoundRobin } from '../../../operator/kube/round-robin.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('groups take turns, each with its oldest item; an item is queued once', () => {
  const turns = new RoundRobin<string>();
  for (const item of ['a1', 'a2', 'a1', 'a3', 'b1', 'c1', 'b2']) turns.add(item[0]!, item);
  expect(turns.size).toBe(6);
  turns.delete('a', 'a2');
  expect([turns.has('a', 'a2'), turns.has('a', 'a3'), turns.size]).toEqual([false, true, 5]);
  expect(Array.from({ length: 6 }, () => turns.next())).toEqual(['a1', 'b1', 'c1', 'a3', 'b2', undefined]);
});

test('an item that may not be taken leaves its turn to the next one, of its group or of another', () => {
  const turns = new RoundRobin<string>();
  for (const item of ['a1', 'a2', 'b1']) turns.add(item[0]!, item);
  expect(turns.next((item) => item !== 'a1')).toBe('a2');
  expect(turns.next((_, group) => group !== 'b')).toBe('a1');
  expect(turns.next((_, group) => group !== 'b')).toBeUndefined();
  expect([turns.next(), turns.size]).toEqual(['b1', 0]);
});

test('every waiting item comes out once, and none waits for more than one turn of each other group', () => {
  const item = fc.record({ group: fc.constantFrom('a', 'b', 'c'), name: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 60 }), (items) => {
      const turns = new RoundRobin<string>();
      for (const { group, name } of items) turns.add(group, `${group}${name}`);
      const out: string[] = [];
      for (let next = turns.next(); next !== undefined; next = turns.next()) out.push(next);
      expect([...out].sort()).toEqual([...new Set(items.map(({ group, name }) => `${group}${name}`))].sort());
      for (const group of ['a', 'b', 'c']) {
        const places = out.flatMap((each, place) => (each.startsWith(group) ? [place] : []));
        const gaps = places.map((place, index) => place - (places[index - 1] ?? -1));
        expect(Math.max(0, ...gaps)).toBeLessThanOrEqual(3);
      }
    }),
  );
});

test('a request of one namespace passes among the first, however many of another wait', async () => {
  const limit = new FairLimit(50, 100);
  const passed: [string, number][] = [];
  const ask = (namespace: string) => void limit.pass(namespace).then(() => passed.push([namespace, performance.now()]));
  const began = performance.now();
  for (let index = 0; index < 1000; index += 1) ask('many');
  await vi.advanceTimersByTimeAsync(1000);
  for (let index = 0; index < 16; index += 1) ask('few');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(passed).toHaveLength(1016);
  const few = passed.filter(([namespace]) => namespace === 'few').map(([, ms]) => ms - began - 1000);
  expect(few[0]).toBeLessThanOrEqual(40);
  expect(few.at(-1)).toBeLessThanOrEqual(16 * 40 + 20);
  const perSecond = Array.from(
    { length: 18 },
    (_, second) => passed.filter(([, ms]) => ms - began >= 1000 * second && ms - began < 1000 * (second + 1)).length,
  );
  expect(Math.max(...perSecond.slice(1))).toBeLessThanOrEqual(51);
});

test('a cancelled request no longer waits, and takes no token', async () => {
  const limit = new FairLimit(10, 1);
  await limit.pass('x');
  const stop = new AbortController();
  const given = limit.pass('x', stop.signal);
  const next = limit.pass('y').then(() => performance.now());
  const began = performance.now();
  stop.abort(new Error('no more'));
  await expect(given).rejects.toThrow('no more');
  await vi.advanceTimersByTimeAsync(150);
  expect((await next) - began).toBeLessThanOrEqual(101);
  await expect(limit.pass('x', stop.signal)).rejects.toThrow('no more');
});

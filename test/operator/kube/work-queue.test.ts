import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { mayBegin, type QueueSettings, WorkQueue } from '../../../operator/kube/work-queue.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Work that is held until released, and records its calls. */
class Held {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();
  readonly work = async (key: string): Promise<undefined> => {
    this.begun.push(key);
    await new Promise<void>((resolve) => this.#ends.set(key, resolve));
  };
  async end(key: string): Promise<void> {
    this.#ends.get(key)!();
    await flush();
  }
}

/** Runs everything that doesn't wait for a timer. */
async function flush(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

function started(settings: Partial<QueueSettings>): WorkQueue {
  const queue = new WorkQueue({
    work: () => Promise.resolve(undefined),
    concurrency: 2,
    backoff: { firstMs: 1000, maxMs: 8000 },
    ...settings,
  });
  queue.start();
  return queue;
}

test('a key that is added often is worked on once', async () => {
  const held = new Held();
  const queue = new WorkQueue({ work: held.work, concurrency: 2, backoff: { firstMs: 1, maxMs: 1 } });
  for (const key of ['x/a', 'y/b', 'x/a', 'x/a']) queue.add(key);
  expect(queue.depth).toBe(2);
  queue.start();
  await flush();
  expect(held.begun).toEqual(['x/a', 'y/b']);
});

test('a key that is added while it is worked on comes again afterwards, never at the same time', async () => {
  const held = new Held();
  const queue = started({ work: held.work });
  queue.add('a');
  queue.add('a');
  queue.add('a');
  await flush();
  expect([held.begun, queue.working, queue.depth]).toEqual([['a'], 1, 1]);
  await held.end('a');
  expect(held.begun).toEqual(['a', 'a']);
  await held.end('a');
  expect([queue.working, queue.depth]).toEqual([0, 0]);
});

test('no more keys are worked on at once than allowed, and a busy one does not hold up those behind it', async () => {
  const held = new Held();
  const queue = started({ work: held.work });
  for (const key of ['x/a', 'x/a', 'y/b', 'z/c']) queue.add(key);
  await flush();
  expect(held.begun).toEqual(['x/a', 'y/b']);
  queue.add('x/a');
  await held.end('y/b');
  expect(held.begun).toEqual(['x/a', 'y/b', 'z/c']);
});

test('the earliest of several delays counts', async () => {
  const done: [string, number][] = [];
  const begin = performance.now();
  const queue = started({
    work: (key) => {
      done.push([key, performance.now() - begin]);
      return Promise.resolve(undefined);
    },
  });
  queue.add('a', 500);
  queue.add('a', 200);
  queue.add('a', 900);
  await vi.advanceTimersByTimeAsync(2000);
  expect(done).toEqual([['a', 200]]);
});

test('work can request its next run', async () => {
  const times: number[] = [];
  const begin = performance.now();
  const queue = started({
    work: () => {
      times.push(performance.now() - begin);
      return Promise.resolve(times.length < 3 ? 400 : undefined);
    },
  });
  queue.add('a');
  await vi.advanceTimersByTimeAsync(5000);
  expect(times).toEqual([0, 400, 800]);
});

test('a key whose work fails comes again, later each time, until it succeeds', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const times: number[] = [];
  const failures: number[] = [];
  const begin = performance.now();
  const queue = started({
    work: () => {
      times.push(performance.now() - begin);
      return times.length <= 5 ? Promise.reject(new Error('no')) : Promise.resolve(undefined);
    },
    onFailure: (_key, _error, count) => failures.push(count),
  });
  queue.add('a');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(times).toEqual([0, 1000, 3000, 7000, 15_000, 23_000]);
  expect(failures).toEqual([1, 2, 3, 4, 5]);
  vi.restoreAllMocks();
});

test('a stop waits for started work, and nothing starts afterwards', async () => {
  const held = new Held();
  const queue = started({ work: held.work, concurrency: 1 });
  queue.add('a');
  queue.add('b');
  queue.add('c', 100);
  await flush();
  let stopped = false;
  const stop = queue.stop().then(() => (stopped = true));
  await flush();
  expect(stopped).toBe(false);
  await held.end('a');
  await stop;
  await vi.advanceTimersByTimeAsync(1000);
  expect(held.begun).toEqual(['a']);
});

test('a key for a time that no timer reaches comes early, once, and not at once', async () => {
  const begun: number[] = [];
  const queue = started({
    work: () => {
      begun.push(performance.now());
      return Promise.resolve(undefined);
    },
  });
  const begin = performance.now();
  queue.add('a', 2_147_483_647_000);
  await vi.advanceTimersByTimeAsync(2_147_483_646);
  expect(begun).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun.map((ms) => Math.round(ms - begin))).toEqual([2_147_483_647]);
});

test('a namespace may start half of the free slots', () => {
  const most = (others: number, concurrency: number) => {
    let own = 0;
    while (mayBegin({ own, all: own + others, concurrency })) own += 1;
    return own;
  };
  expect([most(0, 16), most(8, 16), most(12, 16), most(15, 16), most(16, 16)]).toEqual([8, 4, 2, 1, 0]);
  expect([most(0, 1), most(0, 2)]).toEqual([1, 1]);
});

test('namespaces take turns: a thousand jobs of one delay another one’s job by one', async () => {
  const held = new Held();
  const queue = started({ work: held.work, concurrency: 4 });
  for (let index = 0; index < 1000; index += 1) queue.add(`many/${index}`);
  await flush();
  expect(held.begun).toEqual(['many/0', 'many/1']);
  queue.add('few/a');
  queue.add('few/b');
  await flush();
  expect(held.begun.slice(2)).toEqual(['few/a']);
  await held.end('many/0');
  await held.end('many/1');
  expect(held.begun.slice(3)).toEqual(['many/2', 'few/b']);
});

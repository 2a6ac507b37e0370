import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { describe, expect, it, vi } from 'vitest';
import { MessageGarbage } from '../../transport/garbage.js';
import { until } from '../until.js';

const turn = () => new Promise(setImmediate);
const MiB = 1024 * 1024;

describe('garbage of messages', () => {
  it('is collected once for every 8 MiB, after the current work', async () => {
    const collect = vi.fn();
    const garbage = new MessageGarbage(collect);
    for (let step = 0; step < 20; step++) {
      garbage.add(MiB);
      await turn();
    }
    expect(collect.mock.calls).toEqual([[{ type: 'minor' }], [{ type: 'minor' }]]);
    garbage.add(100 * MiB);
    expect(collect).toHaveBeenCalledTimes(2);
    await turn();
    expect(collect).toHaveBeenCalledTimes(3);
  });

  it("is collected by V8, from the young generation only, whatever Node.js's flags", async () => {
    const kinds: unknown[] = [];
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) kinds.push((entry as PerformanceEntry & { detail?: unknown }).detail);
    });
    observer.observe({ entryTypes: ['gc'] });
    new MessageGarbage().add(8 * MiB);
    await until(() => kinds.length > 0, 5_000, 'a collection');
    observer.disconnect();
    const forced = { kind: 1, flags: 4 };
    expect(kinds).toContainEqual(expect.objectContaining(forced));
  });
});

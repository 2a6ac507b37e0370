import { describe, expect, it, vi } from 'vitest';
import { FairSlots, type Slot } from '../../../operator/kube/fair-slots.js';

const never = new AbortController().signal;

/** Takes slots for `groups`, in this order. */
function takeAll(slots: FairSlots, groups: readonly string[]) {
  const got: { group: string; slot: Slot }[] = [];
  for (const group of groups) void slots.take(group, never).then((slot) => got.push({ group, slot }));
  return got;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const many = (group: string, count: number) => Array<string>(count).fill(group);

describe('slots that are shared between groups', () => {
  it('leave room for others, however much one group requests', async () => {
    const slots = new FairSlots({ capacity: 4, perGroup: 3 });
    const got = takeAll(slots, [...many('hostile', 100), 'honest']);
    await settle();
    expect(got.map(({ group }) => group)).toEqual(['hostile', 'hostile', 'hostile', 'honest']);
  });

  it('go to the waiting group that has the fewest, in the order of its requests', async () => {
    const slots = new FairSlots({ capacity: 2, perGroup: 2 });
    const got = takeAll(slots, ['a', 'a', 'a', 'b', 'b']);
    await settle();
    got[0]!.slot.release();
    got[1]!.slot.release();
    await settle();
    expect(got.map(({ group }) => group)).toEqual(['a', 'a', 'b', 'a']);
  });

  it('are not given to a request that was cancelled, and freed once', async () => {
    const slots = new FairSlots({ capacity: 1, perGroup: 1 });
    const first = await slots.take('a', never);
    const stop = new AbortController();
    const waiting = slots.take('b', stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    first.release();
    first.release();
    expect(slots.held).toBe(0);
  });

  it('go round in a group at its limit, and are recalled after their time only', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const slots = new FairSlots({ capacity: 4, perGroup: 2, holdMs: 10_000 });
      const got = takeAll(slots, many('a', 5));
      await vi.advanceTimersByTimeAsync(9_000);
      expect(got.map(({ slot }) => slot.recalled.aborted)).toEqual([false, false]);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(got.map(({ slot }) => slot.recalled.aborted)).toEqual([true, true, false, false]);
      await vi.advanceTimersByTimeAsync(11_000);
      expect(got).toHaveLength(5);
      expect(slots.held).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('are taken from the group with the most for one that has none', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const slots = new FairSlots({ capacity: 3, perGroup: 3, holdMs: 1_000 });
      const got = takeAll(slots, ['a', 'b', 'b', 'c', 'd']);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(got.map(({ group }) => group)).toEqual(['a', 'b', 'b', 'c', 'd']);
      expect(slots.held).toBe(3);
    } finally {
      vi.useRealTimers();
    }
  });
});

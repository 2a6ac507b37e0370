import { describe, expect, it } from 'vitest';
import { ClockOffset } from '../../../coordinator/membership/clock-offset.js';
import { arePlausible, StepClock } from '../../../coordinator/stepping/step-clock.js';
import { phasesOf, type StepTiming } from '../../../coordinator/state/step-timing.js';
import { monotonicMs } from '../../../util/clock.js';
import type { Partial, Stamps } from '../../../proto/messages.js';

const node = { first: 1, count: 2 };
const good: Stamps = {
  orderSentMs: 100,
  orderReceivedMs: 7000,
  parametersBeginMs: 7001,
  parametersEndMs: 7002,
  shards: [
    { shard: 1, beginMs: 7003, endMs: 7010 },
    { shard: 2, beginMs: 7010, endMs: 7020 },
  ],
  sendBeginMs: 7021,
  sendEndMs: 7022,
};

describe('stamps of a worker', () => {
  it('count if they are possible for the dispatched node', () => {
    expect(arePlausible(good, node, { fromMs: 99, toMs: 130 })).toBe(true);
  });

  it.each<[string, object]>([
    ['an order of another step', { orderSentMs: 98 }],
    ['an order that is yet to be sent', { orderSentMs: 131 }],
    ['a stay that is longer than the wait for it', { orderReceivedMs: 6990 }],
    ['results before the order', { orderReceivedMs: 7023 }],
    ['no number', { parametersEndMs: NaN }],
    ['no end', { sendEndMs: Infinity }],
    ['a computation before its parameters', { parametersEndMs: 7004 }],
    ['sending before the computation ends', { sendBeginMs: 7019 }],
    ['other shards', { shards: [good.shards[1]!, good.shards[0]!] }],
    ['too few shards', { shards: [good.shards[0]!] }],
  ])('are ignored with %s', (_, change) => {
    expect(arePlausible({ ...good, ...change }, node, { fromMs: 99, toMs: 130 })).toBe(false);
  });
});

/** A chunk of `node`, with the fields that the clock reads. */
const chunk = (stamps: Stamps | null) => ({ chunk: stamps ? 1 : 0, chunks: 2, stamps }) as Partial;

describe('the clock of a step', () => {
  it('brings a worker’s stamps to the coordinator’s clock, in causal order, from its very first answer', () => {
    const clock = new StepClock(3);
    const worker = { workerId: 'w', clock: new ClockOffset() };
    const ahead = 1e6;
    const sentMs = clock.dispatched('w');
    clock.written('w');
    const there = () => monotonicMs() + ahead;
    const [orderReceivedMs, parametersBeginMs, parametersEndMs, beginMs, endMs] = [1, 2, 3, 4, 5].map(there);
    const times = { orderReceivedMs: orderReceivedMs!, parametersBeginMs: parametersBeginMs! };
    const shards = [{ shard: 4, beginMs: beginMs!, endMs: endMs! }];
    const send = { sendBeginMs: there(), sendEndMs: there() };
    const leaf = { first: 4, count: 1 };
    clock.arrived(worker, leaf, chunk(null));
    clock.arrived(
      worker,
      leaf,
      chunk({ orderSentMs: sentMs, ...times, parametersEndMs: parametersEndMs!, shards, ...send }),
    );
    const reducedMs = monotonicMs();
    clock.end();
    const timing = clock.timing({ reducedMs, updatedMs: reducedMs, reduceBusyMs: 0 });
    const [track] = timing.workers;
    const [partial] = track!.partials;
    const remote = partial!.remote!;
    expect(Math.abs(remote.clock.offsetMs - ahead)).toBeLessThanOrEqual(remote.clock.errorMs + 1e-6);
    const inOrder = [
      ...[
        timing.beginMs,
        track!.orders[0]!.beginMs,
        remote.orderReceivedMs,
        remote.parametersBeginMs,
        remote.parametersEndMs,
      ],
      ...[remote.shards[0]!.beginMs, remote.shards[0]!.endMs, remote.sendBeginMs, remote.sendEndMs],
      ...[partial!.lastChunkMs, timing.reducedMs, timing.endMs],
    ];
    inOrder.reduce((a, b) => (expect(b).toBeGreaterThanOrEqual(a - 1e-6), b));
    expect(partial!.firstChunkMs).toBeLessThan(partial!.lastChunkMs);
    expect(timing.step).toBe(3);
    expect(clock.workerMs('w')).toBe(partial!.lastChunkMs - track!.orders[0]!.beginMs);
  });

  it('has no data on a worker that sends no stamps, or of one that was given nothing', () => {
    const clock = new StepClock(0);
    clock.dispatched('old');
    clock.arrived({ workerId: 'old', clock: new ClockOffset() }, node, chunk(null));
    clock.arrived({ workerId: 'unknown', clock: new ClockOffset() }, node, chunk(good));
    clock.end();
    const reducedMs = monotonicMs();
    const timing = clock.timing({ reducedMs, updatedMs: reducedMs, reduceBusyMs: 0 });
    expect(timing.workers.map(({ workerId }) => workerId)).toEqual(['old']);
    expect(timing.workers[0]!.partials[0]!.remote).toBeUndefined();
    expect(phasesOf(timing)).toBeUndefined();
    expect(clock.workerMs('unknown')).toBe(0);
  });
});

describe('the phases of a step', () => {
  const clock = { offsetMs: 0, errorMs: 1 };
  const remote = (parametersEndMs: number, sendBeginMs: number) => ({
    ...{ orderReceivedMs: 0, parametersBeginMs: 0, parametersEndMs, shards: [], sendBeginMs, sendEndMs: sendBeginMs },
    clock,
  });
  const timing: StepTiming = {
    ...{ step: 0, beginMs: 10, reducedMs: 61, updatedMs: 64, endMs: 65, reduceBusyMs: 3 },
    workers: [
      {
        workerId: 'a',
        orders: [{ beginMs: 10, endMs: 11 }],
        partials: [{ node, firstChunkMs: 30, lastChunkMs: 60, remote: remote(13, 55) }],
      },
      {
        workerId: 'b',
        orders: [{ beginMs: 10, endMs: 11 }],
        partials: [{ node, firstChunkMs: 20, lastChunkMs: 40, remote: remote(12, 38) }],
      },
      // A straggler: its node was given to another worker, and its result came after the update.
      {
        workerId: 'c',
        orders: [{ beginMs: 10, endMs: 11 }],
        partials: [{ node, firstChunkMs: 61, lastChunkMs: 64, remote: remote(12, 60) }],
      },
    ],
  };

  it('follow the partial that came last, and add up to the step', () => {
    const phases = phasesOf(timing)!;
    expect(phases).toEqual({ receiveMs: 3, computeMs: 42, sendMs: 5, reduceMs: 1, updateMs: 3, stepMs: 55 });
  });
});

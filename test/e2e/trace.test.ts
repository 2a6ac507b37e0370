import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceEvent } from '../../observe/timeline/trace-event.js';
import { lockstep, scratchDirectory, smallJob } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const run = join(scratch.path, 'run');
const read = (name: string) => JSON.parse(readFileSync(join(run, name), 'utf8')) as TraceEvent[];
let events: readonly TraceEvent[] = [];

beforeAll(async () => {
  const { code } = await lockstep(['train', ...smallJob, '--workers', '2', '--trace', '--run', run]);
  expect(code).toBe(0);
  events = read('trace.json');
});

type Span = TraceEvent & { readonly ts: number; readonly dur: number };
const spans = (named: RegExp | string) =>
  events.filter((e): e is Span => e.ph === 'X' && (typeof named === 'string' ? e.name === named : named.test(e.name)));
const end = (span: Span) => span.ts + span.dur;
const workerPids = () => [...new Set(events.map(({ pid }) => pid))].filter((pid) => pid !== 1).sort();
/** Stamps are rounded to a tenth of a microsecond, at both ends. */
const roundingUs = 0.21;

describe('the timeline of a run', () => {
  it("has every step once, with the coordinator's phases", () => {
    const steps = spans(/^step \d+$/);
    expect(steps.map(({ name }) => name)).toEqual(Array.from({ length: 21 }, (_, i) => `step ${i}`));
    expect(spans('reduce')).toHaveLength(21);
    expect(spans('update')).toHaveLength(21);
    expect(spans('send parameters')).toHaveLength(42);
    expect(spans(/^evaluation/).map(({ name }) => name)).toEqual(['evaluation after epoch 1']);
    expect(spans(/^checkpoint/).map(({ name }) => name)).toContain('checkpoint 21');
    steps.slice(1).forEach((step, i) => expect(step.ts).toBeGreaterThanOrEqual(end(steps[i]!) - roundingUs));
  });

  it('has both workers, each shard of each step once, and names for all of them', () => {
    expect(workerPids()).toEqual([2, 3]);
    for (const shard of [0, 1, 2, 3, 4]) expect(spans(`shard ${shard}`)).toHaveLength(21);
    for (const pid of workerPids()) {
      expect(spans('receive parameters').filter((span) => span.pid === pid)).toHaveLength(21);
      const named = events.find((e) => e.ph === 'M' && e.name === 'process_name' && e.pid === pid);
      expect(named?.args?.['name']).toMatch(/^worker .+-[0-9a-f]{8}$/);
    }
  });

  it('shows on one clock that parameters come before shards, shards before gradients, all within their step', () => {
    const steps = spans(/^step \d+$/);
    const stepOf = (inner: Span) => {
      const found = steps.find((step) => inner.ts >= step.ts - roundingUs && end(inner) <= end(step) + roundingUs);
      expect(found, `a step around ${inner.name} at ${inner.ts}`).toBeDefined();
      return found!.name;
    };
    for (const pid of workerPids()) {
      const own = (named: RegExp) => spans(named).filter((span) => span.pid === pid);
      const shards = own(/^shard/);
      const sends = own(/^send gradients$/);
      for (const span of [...shards, ...sends]) stepOf(span);
      for (const received of own(/^receive/)) {
        const step = stepOf(received);
        for (const shard of shards.filter((span) => stepOf(span) === step)) {
          expect(shard.ts).toBeGreaterThanOrEqual(end(received) - roundingUs);
          expect(sends.some((send) => stepOf(send) === step && send.ts >= end(shard) - roundingUs)).toBe(true);
        }
      }
    }
  });

  it('nests on every track: two spans either follow each other or one contains the other', () => {
    const tracks = new Map<string, Span[]>();
    for (const span of spans(/./)) {
      const key = `${span.pid}/${span.tid}`;
      tracks.set(key, [...(tracks.get(key) ?? []), span]);
    }
    expect(tracks.size).toBe(8);
    for (const track of tracks.values()) {
      const open: Span[] = [];
      for (const span of [...track].sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
        while (open.length > 0 && end(open.at(-1)!) <= span.ts + roundingUs) open.pop();
        const outer = open.at(-1);
        if (outer) expect(end(span), `${span.name} in ${outer.name}`).toBeLessThanOrEqual(end(outer) + roundingUs);
        open.push(span);
      }
    }
  });

  it.runIf(process.platform === 'linux')(
    'is right about clocks that are one: within its error, less than a step',
    () => {
      // All processes of a Linux machine share the monotonic clock, so the true offset is 0.
      const clocks = spans('receive parameters').map(({ args }) => args as Record<string, number>);
      for (const { clockOffsetMs, clockErrorMs } of clocks) {
        expect(Math.abs(clockOffsetMs!)).toBeLessThanOrEqual(clockErrorMs! + 1e-6);
      }
      const longestMs = Math.max(...spans(/^step \d+$/).map(({ dur }) => dur / 1e3));
      expect(Math.max(...clocks.slice(10).map(({ clockErrorMs }) => clockErrorMs!))).toBeLessThan(longestMs);
    },
  );

  it('has loss and rate as counters, and changes of the run as instants', () => {
    const counters = events.filter(({ ph }) => ph === 'C');
    expect(counters.filter(({ name }) => name === 'loss')).toHaveLength(21);
    expect(counters.filter(({ name }) => name === 'images/s')).toHaveLength(21);
    const instants = events.filter(({ ph }) => ph === 'i').map(({ name }) => name);
    expect(instants).toEqual(
      expect.arrayContaining(['worker ready', 'generation 1', 'training', 'epoch 1', 'finished']),
    );
  });
});

describe('a limited timeline', () => {
  it("is complete after the requested steps, and doesn't change the result", async () => {
    const cut = join(scratch.path, 'cut');
    const ended = await lockstep(['train', ...smallJob, '--workers', '1', '--trace', '5', '--run', cut]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('timeline: ends here, after the requested 5 steps');
    const cutEvents = JSON.parse(readFileSync(join(cut, 'trace.json'), 'utf8')) as TraceEvent[];
    expect(cutEvents.filter(({ name }) => /^step \d+$/.test(name)).map(({ name }) => name)).toEqual(
      ['0', '1', '2', '3', '4'].map((n) => `step ${n}`),
    );
    const digests = (of: string) => readFileSync(join(of, 'digests.jsonl'), 'utf8');
    expect(digests(cut)).toBe(digests(run));
  });

  it('is rejected with an invalid number of steps', async () => {
    const { code, stderr } = await lockstep(['train', ...smallJob, '--trace', 'all']);
    expect(code).toBe(2);
    expect(stderr).toContain('expected a whole number of steps, 1 or more');
  });
});

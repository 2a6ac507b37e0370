import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RunEvents } from '../../../coordinator/state/events.js';
import { startTimeline } from '../../../observe/timeline/start.js';
import type { TraceEvent } from '../../../observe/timeline/trace-event.js';
import { TimelineRun } from '../../../observe/timeline/timeline-run.js';
import type { StepTiming } from '../../../coordinator/state/step-timing.js';

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'lockstep-trace-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const remote = (sendBeginMs: number) => ({
  ...{ orderReceivedMs: 1001, parametersBeginMs: 1001, parametersEndMs: 1002, sendBeginMs, sendEndMs: sendBeginMs },
  shards: [{ shard: 0, beginMs: 1002, endMs: sendBeginMs }],
  clock: { offsetMs: 0, errorMs: 0.5 },
});
const timing: StepTiming = {
  ...{ step: 0, beginMs: 1000, reducedMs: 1030, updatedMs: 1031, endMs: 1031.5, reduceBusyMs: 1 },
  workers: [
    {
      ...{ workerId: 'a', orders: [{ beginMs: 1000, endMs: 1000.5 }] },
      partials: [
        { node: { first: 0, count: 1 }, firstChunkMs: 1012, lastChunkMs: 1025, remote: remote(1010) },
        { node: { first: 1, count: 1 }, firstChunkMs: 1026, lastChunkMs: 1029, remote: remote(1020) },
      ],
    },
    // From a version that sends no stamps.
    {
      workerId: 'old',
      orders: [],
      partials: [{ node: { first: 2, count: 1 }, firstChunkMs: 1005, lastChunkMs: 1006 }],
    },
  ],
};

describe('the events of a step', () => {
  const events = new TimelineRun(1000).eventsOf({ type: 'timing', timing }, 1032);
  const placed = (name: string) =>
    events.filter((event) => event.name === name).map(({ pid, tid, ts, dur }) => [pid, tid, ts, dur]);

  it('are in microseconds since the trace’s zero', () => {
    expect(placed('step 0')).toEqual([[1, 1, 0, 31_500]]);
    expect(placed('send parameters')).toEqual([[1, 1, 0, 500]]);
    expect(placed('reduce')).toEqual([[1, 2, 5000, 25_000]]);
    expect(placed('update')).toEqual([[1, 2, 30_000, 1000]]);
    expect(placed('receive parameters')).toEqual([[2, 1, 1000, 1000]]);
  });

  it('never let two sends of one worker overlap: one ends where the next begins', () => {
    expect(placed('send gradients')).toEqual([
      [2, 1, 10_000, 10_000],
      [2, 1, 20_000, 9000],
    ]);
  });

  it('leave out a worker that sent no stamps', () => {
    expect(new Set(events.map(({ pid }) => pid))).toEqual(new Set([1, 2]));
  });
});

describe('the file of a timeline', () => {
  const parse = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as TraceEvent[];

  it('is a new one for each start on a run', async () => {
    const path = directory();
    for (const digest of ['first', 'second']) {
      const events = new RunEvents();
      const trace = await startTimeline(events, { directory: path });
      events.emit({ type: 'epoch', epoch: 1, step: 21, digest });
      await trace.close();
    }
    expect(readdirSync(path).sort()).toEqual(['trace-2.json', 'trace.json']);
    const digestIn = (name: string) =>
      parse(join(path, name)).find((event) => event.name === 'epoch 1')!.args!['digest'];
    expect([digestIn('trace.json'), digestIn('trace-2.json')]).toEqual(['first', 'second']);
  });

  it('can be read while it grows: only the end of the array is missing', async () => {
    const path = directory();
    const events = new RunEvents();
    const trace = await startTimeline(events, { directory: path });
    events.emit({ type: 'timing', timing });
    await expect.poll(() => readFileSync(trace.path, 'utf8')).toContain('"update"');
    const text = readFileSync(trace.path, 'utf8');
    expect(text.endsWith('},\n')).toBe(true);
    const read = JSON.parse(`${text.slice(0, -2)}]`) as TraceEvent[];
    expect(read.map(({ name }) => name)).toContain('step 0');
    await trace.close();
    expect(parse(trace.path).length).toBe(read.length + 1);
  });

  it("can't be created in an unwritable place, and says so", async () => {
    const nowhere = join(directory(), 'missing');
    await expect(startTimeline(new RunEvents(), { directory: nowhere })).rejects.toThrow('ENOENT');
  });
});

import { describe, expect, it } from 'vitest';
import type { Coordinator } from '../../../coordinator/coordinator.js';
import { type RunEvent, RunEvents } from '../../../coordinator/state/events.js';
import { HeldEvents } from '../../../coordinator/state/held-events.js';
import { startMetrics } from '../../../observe/metrics/start.js';
import { sampleSteps } from '../../run/report/sample.js';
import { stepEvent } from '../../observe/sample-run.js';

const note = (i: number): RunEvent => ({ type: 'note', message: String(i) });
const messages = (held: HeldEvents) => held.take().map(({ event }) => (event.type === 'note' ? event.message : ''));

describe('events that are held', () => {
  it('are those since the beginning, in order and with their times, and are returned once', () => {
    const events = new RunEvents();
    events.emit(note(0));
    const held = new HeldEvents(events);
    const begin = performance.now();
    for (let i = 1; i <= 3; i++) events.emit(note(i));
    const taken = held.take();
    expect(taken.map(({ event }) => event)).toEqual([note(1), note(2), note(3)]);
    for (const { atMs } of taken) expect(atMs >= begin && atMs <= performance.now()).toBe(true);
    events.emit(note(4));
    expect(messages(held)).toEqual([]);
  });

  it('are the last thousand where there are more', () => {
    const events = new RunEvents();
    const held = new HeldEvents(events);
    for (let i = 0; i < 1_500; i++) events.emit(note(i));
    const kept = messages(held);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1_000, '500', '1499']);
  });

  it('are counted by metrics that start later', async () => {
    const events = new RunEvents();
    const before = new HeldEvents(events);
    const records = sampleSteps(5, 5, 245);
    const samples = records.reduce((sum, record) => sum + record.samples, 0);
    for (const record of records.slice(0, 3)) events.emit(stepEvent(record));
    const view = () => Promise.reject(new Error('not prepared'));
    const metrics = await startMetrics({ events, view } as unknown as Coordinator, { version: '1', before });
    for (const record of records.slice(3)) events.emit(stepEvent(record));
    const text = await metrics.text();
    expect(text).toMatch(/^lockstep_steps_total 5$/m);
    expect(text).toMatch(new RegExp(`^lockstep_samples_total ${samples}$`, 'm'));
    await metrics.close();
  });
});

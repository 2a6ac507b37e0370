import { expect, test } from 'vitest';
import { EventMemory, type JobEvent } from '../../../operator/kube/event-decisions.js';

const lost: JobEvent = { reason: 'CoordinatorLost', message: 'its node is gone', warning: true };

test('repetitions within ten minutes are one Event whose count goes up, written every 20 s at most', () => {
  const memory = new EventMemory();
  expect(memory.decide('uid', lost, 0)).toEqual({ action: 'create' });
  memory.created('uid', lost, 'job.1');
  expect(memory.decide('uid', lost, 5_000).action).toBe('drop');
  expect(memory.decide('uid', lost, 20_000)).toEqual({ action: 'count', name: 'job.1', count: 3 });
  expect(memory.decide('uid', lost, 39_999).action).toBe('drop');
  expect(memory.decide('uid', lost, 40_000)).toEqual({ action: 'count', name: 'job.1', count: 5 });
  expect(memory.decide('uid', lost, 640_000)).toEqual({ action: 'create' });
});

test('an Event that could not be created is not counted up', () => {
  const memory = new EventMemory();
  memory.decide('uid', lost, 0);
  expect(memory.decide('uid', lost, 30_000).action).toBe('drop');
});

test('another text, reason or job makes a separate Event', () => {
  const memory = new EventMemory();
  const others = [
    lost,
    { ...lost, message: 'evicted' },
    { ...lost, reason: 'Restarting' },
    { ...lost, warning: false },
  ];
  expect(others.map((event) => memory.decide('uid', event, 0).action)).toEqual(Array(4).fill('create'));
  expect(memory.decide('other', lost, 0).action).toBe('create');
});

test('a job with continually new messages gets 25 Events, and then one per minute', () => {
  const memory = new EventMemory();
  const say = (number: number, nowMs: number) =>
    memory.decide('uid', { ...lost, message: `number ${number}` }, nowMs).action;
  const first = Array.from({ length: 40 }, (_, number) => say(number, 0));
  expect(first.filter((action) => action === 'create')).toHaveLength(25);
  expect([say(100, 59_000), say(101, 60_000), say(102, 60_000), say(103, 120_000)]).toEqual([
    'drop',
    'create',
    'drop',
    'create',
  ]);
  expect(memory.decide('other', lost, 0).action).toBe('create');
});

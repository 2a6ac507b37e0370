import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../coordinator/state/events.js';
import { describeEvent, describeSteps, type Occurrence } from '../../nats/messages.js';
import { EventBuffer, type QueuedEvent } from '../../nats/event-buffer.js';
import { advance, keepDelivering, noProgress } from '../../nats/progress.js';
import { StepSum } from '../../coordinator/state/step-sum.js';
import { eventData } from './event-schemas.js';

const predictions = { predicted: new Uint8Array(0), confidence: new Float32Array(0) };

const digest = 'ab'.repeat(32);
const at = { step: 21, digest };
const record = {
  ...{ step: 20, epoch: 1, samples: 10, loss: 2, correct: 4, learningRate: 0.1, durationMs: 20, workers: 2 },
};
const tested = { step: 21, epoch: 1, loss: 1.5, correct: 6, total: 10, confusion: [[6, 4]] };

const events: [RunEvent, string, string | undefined][] = [
  [{ type: 'listening', address: '127.0.0.1:1' }, 'listening', undefined],
  [{ type: 'state', state: 'training', reason: 'x' }, 'state', undefined],
  [{ type: 'state', state: 'finished', reason: 'x' }, 'finished', 'finished'],
  [{ type: 'state', state: 'stopped', reason: 'x' }, 'stopped', undefined],
  [{ type: 'state', state: 'failed', reason: 'x'.repeat(9_000) }, 'failed', undefined],
  [{ type: 'worker', change: 'lost', workerId: 'w', reason: 'x' }, 'lost', undefined],
  [{ type: 'assignment', generation: 3, shards: { w: [0, 1] }, reason: 'x' }, 'reassigned', undefined],
  [{ type: 'waiting', step: 3, workers: [], seconds: 4, reason: 'x' }, 'waiting', undefined],
  [{ type: 'speculation', step: 3, shards: [1], from: 'a', to: 'b' }, 'speculation', undefined],
  [{ type: 'fault', kind: 'numerics', workers: ['a', 'b'], shards: [1], step: 3 }, 'fault', undefined],
  [{ type: 'skipped', step: 3, reason: 'x' }, 'skipped', 'skipped.3'],
  [{ type: 'epoch', epoch: 1, step: 21, digest }, 'epoch', 'epoch.1'],
  [
    { type: 'evaluation', record: { ...tested, loss: NaN }, testRows: [], predictions, durationMs: 5 },
    'evaluation',
    'evaluation.21',
  ],
  [{ type: 'checkpoint', step: 21, path: '/secret/place', durationMs: 5, blockedMs: 0 }, 'checkpoint', 'checkpoint.21'],
  [{ type: 'note', message: 'x' }, 'note', undefined],
];

describe('the published form of an event', () => {
  it.each(events)('%o', (event, type, key) => {
    const occurrence = describeEvent(event, at)!;
    expect(occurrence.type).toBe(type);
    expect(occurrence.key).toBe(key);
    expect(eventData[occurrence.type].strict().parse(occurrence.data)).toEqual(occurrence.data);
    expect(JSON.stringify(occurrence)).not.toContain('/secret');
    expect(JSON.stringify(occurrence).length).toBeLessThan(4_200);
  });

  it('is nothing for a step, which goes into the metrics', () => {
    expect(describeEvent({ type: 'step', record }, at)).toBeUndefined();
  });
});

describe('queued events', () => {
  const note = (message: string): QueuedEvent => ({ type: 'note', data: { message }, at: 'then' });
  const epoch = (number: number): QueuedEvent => {
    const occurrence: Occurrence = { type: 'epoch', data: { epoch: number, step: 1, digest }, key: `epoch.${number}` };
    return { ...occurrence, at: 'then' };
  };
  const takeAll = (buffer: EventBuffer) => Array.from({ length: buffer.length }, () => buffer.take('now')!);

  it('come out in order', () => {
    const buffer = new EventBuffer(3);
    for (const event of [note('a'), epoch(1), note('b')]) buffer.add(event);
    expect(takeAll(buffer)).toEqual([note('a'), epoch(1), note('b')]);
    expect(buffer.take('now')).toBeUndefined();
  });

  it('are dropped, oldest first, when there are too many, epochs last, and a gap has their number', () => {
    const buffer = new EventBuffer(3);
    for (const event of [epoch(1), note('a'), note('b'), epoch(2), note('c'), epoch(3)]) buffer.add(event);
    const [gap, ...rest] = takeAll(buffer);
    expect(gap).toMatchObject({ type: 'gap', at: 'now', data: { lost: 3 } });
    expect(rest).toEqual([epoch(1), epoch(2), epoch(3)]);
    buffer.add(epoch(4));
    expect(takeAll(buffer)).toEqual([epoch(4)]);
  });

  it('never exceed the limit, whatever they are', () => {
    const buffer = new EventBuffer(2);
    for (let i = 0; i < 50; i++) buffer.add(epoch(i));
    expect(takeAll(buffer)).toEqual([
      expect.objectContaining({ data: expect.objectContaining({ lost: 48 }) as object }),
      epoch(48),
      epoch(49),
    ]);
    buffer.add(note('a'));
    expect(buffer.clear()).toBe(1);
    expect(buffer.length).toBe(0);
  });
});

describe('the sum of steps', () => {
  it('weighs loss and accuracy by samples and starts over', () => {
    const sum = new StepSum();
    const take = () => {
      const steps = sum.take();
      return steps && describeSteps(steps);
    };
    sum.add(record);
    sum.add({ ...record, step: 21, epoch: 2, samples: 30, loss: 4, correct: 6, durationMs: 60, learningRate: 0.05 });
    expect(take()).toEqual({
      ...{ step: 22, epoch: 2, steps: 2, loss: 3.5, accuracy: 0.25, learningRate: 0.05, imagesPerSecond: 500 },
      ...{ stepMs: { mean: 40, max: 60 }, workers: 2 },
    });
    expect(take()).toBeUndefined();
    sum.add(record);
    expect(take()).toMatchObject({ steps: 1, loss: 2, stepMs: { mean: 20, max: 20 } });
  });
});

describe('the progress of a run', () => {
  it('follows its events', () => {
    const told: RunEvent[] = [
      { type: 'listening', address: '127.0.0.1:1' },
      { type: 'state', state: 'training', reason: '2 workers ready' },
      { type: 'step', record },
      { type: 'epoch', epoch: 1, step: 21, digest },
      { type: 'evaluation', record: tested, testRows: [], predictions, durationMs: 5 },
      { type: 'note', message: 'x' },
    ];
    expect(told.reduce(advance, noProgress)).toEqual({
      ...noProgress,
      ...{ state: 'training', reason: '2 workers ready', step: 21, epoch: 1, loss: 2, accuracy: 0.6, digest },
      address: '127.0.0.1:1',
    });
  });
});

describe('the end of a run', () => {
  it.each([
    ['does not wait when all is delivered', { events: 0, files: false, waitedMs: 0, isOpen: true }, false],
    ['waits 5 s for events', { events: 1, files: true, waitedMs: 4_999, isOpen: true }, true],
    ['does not wait longer for events', { events: 1, files: true, waitedMs: 5_000, isOpen: true }, false],
    ['waits 30 s for files', { events: 0, files: true, waitedMs: 29_999, isOpen: true }, true],
    ['waits 2 s where NATS is unreachable', { events: 1, files: true, waitedMs: 1_999, isOpen: false }, true],
    ['and no longer', { events: 1, files: true, waitedMs: 2_000, isOpen: false }, false],
  ] as const)('%s', (_, left, waits) => expect(keepDelivering(left)).toBe(waits));
});

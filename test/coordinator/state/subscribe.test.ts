import { describe, expect, it } from 'vitest';
import { type RunEvent, RunEvents } from '../../../coordinator/state/events.js';
import { subscribe } from '../../../coordinator/state/subscribe.js';

describe('an observer', () => {
  it('that throws is closed with a note, and neither the run nor the other observers notice', () => {
    const events = new RunEvents();
    const [all, seen]: [RunEvent[], string[]] = [[], []];
    subscribe(events, 'metrics', ({ type }) => {
      seen.push(type);
      if (type === 'state') throw new Error('out of ink');
    });
    subscribe(events, 'others', (event) => all.push(event));
    events.emit({ type: 'state', state: 'training', reason: 'a' });
    events.emit({ type: 'state', state: 'paused', reason: 'b' });
    expect(seen).toEqual(['state']);
    expect(all.map((event) => (event.type === 'state' ? event.reason : event))).toEqual([
      { type: 'note', message: 'metrics: stopped after an internal error: out of ink' },
      'a',
      'b',
    ]);
  });

  it('that continues gets the events after its error, which is reported once', () => {
    const events = new RunEvents();
    const [all, seen]: [RunEvent[], string[]] = [[], []];
    const failing = ({ type }: RunEvent) => {
      seen.push(type);
      throw new Error('out of ink');
    };
    subscribe(events, 'history', failing, 'continue');
    subscribe(events, 'others', (event) => all.push(event));
    events.emit({ type: 'state', state: 'training', reason: 'a' });
    events.emit({ type: 'state', state: 'paused', reason: 'b' });
    expect(seen).toEqual(['state', 'note', 'state']);
    expect(all.flatMap((event) => (event.type === 'note' ? event.message : []))).toEqual([
      'history: continues after an internal error: out of ink',
    ]);
  });

  it('gets no events once it is closed', () => {
    const events = new RunEvents();
    const seen: string[] = [];
    const listening = subscribe(events, 'metrics', ({ type }) => seen.push(type));
    events.emit({ type: 'note', message: 'a' });
    listening.close();
    events.emit({ type: 'note', message: 'b' });
    expect(seen).toEqual(['note']);
  });
});

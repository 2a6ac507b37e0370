import { describe, expect, it } from 'vitest';
import { type RunEvent, RunEvents } from '../../../coordinator/state/events.js';
import { listen } from '../../../coordinator/state/subscribe.js';

describe('an observer', () => {
  it('that throws is closed with a note, and neither the run nor the other observers notice', () => {
    const events = new RunEvents();
    const [all, seen]: [RunEvent[], string[]] = [[], []];
    listen(events, 'metrics', ({ type }) => {
      seen.push(type);
      if (type === 'state') throw new Error('out of ink');
    });
    listen(events, 'others', (event) => all.push(event));
    events.emit({ type: 'state', state: 'training', reason: 'a' });
    events.emit({ type: 'state', state: 'paused', reason: 'b' });
    expect(seen).toEqual(['state']);
    expect(all.map((event) => (event.type === 'state' ? event.reason : event))).toEqual([
      { type: 'note', message: 'metrics: ended by an error of its own: out of ink' },
      'a',
      'b',
    ]);
  });

  it('that is to go on sees what follows its error, and is told of once', () => {
    const events = new RunEvents();
    const [all, seen]: [RunEvent[], string[]] = [[], []];
    const failing = ({ type }: RunEvent) => {
      seen.push(type);
      throw new Error('out of ink');
    };
    listen(events, 'history', failing, 'goes on');
    listen(events, 'others', (event) => all.push(event));
    events.emit({ type: 'state', state: 'training', reason: 'a' });
    events.emit({ type: 'state', state: 'paused', reason: 'b' });
    expect(seen).toEqual(['state', 'note', 'state']);
    expect(all.flatMap((event) => (event.type === 'note' ? event.message : []))).toEqual([
      'history: goes on after an error of its own: out of ink',
    ]);
  });

  it('hears nothing more once it is closed', () => {
    const events = new RunEvents();
    const seen: string[] = [];
    const listening = listen(events, 'metrics', ({ type }) => seen.push(type));
    events.emit({ type: 'note', message: 'a' });
    listening.close();
    events.emit({ type: 'note', message: 'b' });
    expect(seen).toEqual(['note']);
  });
});

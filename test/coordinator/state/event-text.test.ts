import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../coordinator/state/events.js';
import { describeEvent } from '../../../coordinator/state/event-text.js';

describe('the text of an event', () => {
  it.each<[RunEvent, string, string]>([
    [{ type: 'state', state: 'waiting', reason: 'for 2 workers' }, 'warning', 'waiting: for 2 workers'],
    [{ type: 'worker', change: 'lost', workerId: 'w', reason: '' }, 'warning', 'worker w lost'],
    [
      { type: 'assignment', generation: 3, shards: { a: [0, 1, 2, 4], b: [] }, reason: 'b joined' },
      'plain',
      'shards reassigned (generation 3): b joined; a 0–2, 4, b on standby',
    ],
    [
      { type: 'assignment', generation: 4, shards: {}, reason: '' },
      'plain',
      'shards reassigned (generation 4): no workers',
    ],
    [
      { type: 'fault', kind: 'numerics', workers: ['a', 'b'], shards: [3], step: 1_204 },
      'bad',
      'NUMERICS FAULT: results of a and b differ for shard 3 of step 1,204',
    ],
    [
      { type: 'checkpoint', step: 20, path: 'p', durationMs: 12.4, blockedMs: 0 },
      'plain',
      'checkpoint after step 20, in 12 ms',
    ],
  ])('%j is %s: %s', (event, tone, text) => expect(describeEvent(event)).toEqual({ tone, text }));

  it('is empty for the events of each step', () => {
    expect(describeEvent({ type: 'waiting', step: 1, workers: [], seconds: 1, reason: 'x' })).toBeUndefined();
  });
});

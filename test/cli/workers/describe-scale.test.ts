import { expect, it } from 'vitest';
import { describeScale } from '../../../cli/workers/describe-scale.js';

it.each([
  [1, 3, 'starting 2 workers; 3 workers in all'],
  [2, 7, 'starting 5 workers; 7 workers in all, of which 2 stand by, as the job has 5 shards'],
  [5, 6, 'starting 1 worker; 6 workers in all, of which 1 stands by, as the job has 5 shards'],
  [3, 3, 'nothing to do; 3 workers in all'],
  [2, 1, '1 worker leaves after what it computes; 1 worker in all'],
  [3, 1, '2 workers leave after what they compute; 1 worker in all'],
  [2, 0, '2 workers leave after what they compute; the run waits until scale starts some again'],
])('from %i to %i workers of a job with five shards: %s', (before, after, text) => {
  expect(describeScale(before, after, 5)).toBe(text);
});

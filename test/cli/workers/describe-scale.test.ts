import { expect, it } from 'vitest';
import { describeScale } from '../../../cli/workers/describe-scale.js';

it.each([
  [1, 3, 'starting 2 workers; 3 workers in total'],
  [2, 7, 'starting 5 workers; 7 workers in total, 2 of them idle: the job has 5 shards'],
  [5, 6, 'starting 1 worker; 6 workers in total, 1 of them idle: the job has 5 shards'],
  [3, 3, 'no change; 3 workers in total'],
  [2, 1, '1 worker will stop after its current step; 1 worker in total'],
  [3, 1, '2 workers will stop after their current step; 1 worker in total'],
  [2, 0, '2 workers will stop after their current step; the run waits until scale starts more'],
])('from %i to %i workers of a job with five shards: %s', (before, after, text) => {
  expect(describeScale(before, after, 5)).toBe(text);
});

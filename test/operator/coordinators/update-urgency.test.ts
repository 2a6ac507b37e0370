import { expect, test } from 'vitest';
import type { CoordinatorStatus } from '../../../operator/plan/coordinator-status.js';
import type { Answer } from '../../../operator/plan/types.js';
import { type Urgency, urgencyOf } from '../../../operator/coordinators/update-urgency.js';
import { PlanRate, progressIntervals } from '../../../operator/coordinators/plan-rate.js';
import { reply } from '../objects.js';

const answer: Answer = { pod: 'p', status: reply({ step: 5 }), statusMs: 1 };
const later = (change: Partial<CoordinatorStatus>): Answer => ({
  ...answer,
  status: reply({ step: 6, ...change }),
  statusMs: 2,
});

test.each<[string, Answer, Urgency]>([
  ['another step', later({ lossMean: 1 }), 'progress'],
  ['whom a step waits for', later({ reason: 'waiting for a' }), 'progress'],
  ['another state', later({ state: 'paused' }), 'change'],
  ['another worker', later({ workers: 3 }), 'change'],
  ['another worker that is ready', later({ readyWorkers: 1 }), 'change'],
  ['a new digest', later({ digestEpoch: 2 }), 'change'],
  ['an error', { ...answer, error: 'gone' }, 'change'],
  ['another pod', { ...answer, pod: 'q' }, 'change'],
  ['an end', later({ state: 'stopped' }), 'end'],
])('%s', (_what, after, news) => {
  expect(urgencyOf(answer, after)).toBe(news);
});

test("while a run waits, another reason is a change; another error isn't", () => {
  const waiting = later({ state: 'waiting', reason: '0 of 2 ready' });
  expect(urgencyOf(waiting, later({ state: 'waiting', reason: '1 of 2 ready' }))).toBe('change');
  expect(urgencyOf({ ...answer, error: 'a' }, { ...answer, error: 'b' })).toBe('progress');
});

test('namespaces with few jobs have their progress every 5 s; the others share 20 per second, none more than 15', () => {
  const seconds = (...jobs: number[]) =>
    [...progressIntervals(jobs.map((count, i) => [`n${i}`, count])).values()].map((ms) => Math.round(ms) / 1000);
  expect(seconds(1)).toEqual([5]);
  expect(seconds(300)).toEqual([20]);
  expect(seconds(1000, 10)).toEqual([5, 66.667]);
  expect(seconds(50, 50, 50)).toEqual([7.5, 7.5, 7.5]);
});

test('a job has 4 changes at once and then one per 5 s; an end is never kept back', () => {
  const pace = new PlanRate().add('ml');
  const admitted = (news: Urgency, ...times: number[]) => times.map((ms) => pace.admit(news, ms));
  expect(admitted('change', 0, 1, 2, 3, 4, 5)).toEqual([true, true, true, true, true, false]);
  expect(admitted('end', 6)).toEqual([true]);
  expect(admitted('change', 5003, 5004)).toEqual([true, false]);
});

test('a namespace whose jobs change continually does not affect the changes of others', () => {
  const pace = new PlanRate();
  const jobs = Array.from({ length: 200 }, () => pace.add('hostile'));
  const honest = pace.add('honest');
  for (const job of [...jobs, honest]) job.admit('progress', 0);
  const planned = jobs.filter((job) => job.admit('change', 1)).length;
  expect(planned).toBe(50);
  expect(honest.admit('change', 2)).toBe(true);
  // In a minute: 15 per second for progress and 5 for changes, plus the saved-up burst.
  let plans = 0;
  for (let ms = 1000; ms <= 61_000; ms += 500) plans += jobs.filter((job) => job.admit('change', ms)).length;
  expect(plans).toBeLessThanOrEqual(60 * 20 + 250);
});

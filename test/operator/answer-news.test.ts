import { expect, test } from 'vitest';
import type { Answer } from '../../deploy/operator/plan/types.js';
import { isNews, progressIntervalMs } from '../../deploy/operator/shell/answer-news.js';
import type { StatusReply } from '../../proto/messages.js';

const status = { state: 'training', reason: '', step: 5, epochs: 3, digestEpoch: 1, workers: [{}] } as StatusReply;
const answer: Answer = { pod: 'p', status, statusMs: 1 };
const soon = { toldMs: 100, intervalMs: 5000 };
const later = (change: Partial<StatusReply>): Answer => ({ ...answer, status: { ...status, ...change }, statusMs: 2 });

test.each<[string, Answer, boolean]>([
  ['another step', later({ step: 6, loss: 1 }), false],
  ['whom a step waits for', later({ reason: 'waiting for a' }), false],
  ['another state', later({ state: 'paused' }), true],
  ['another worker', later({ workers: [{}, {}] as StatusReply['workers'] }), true],
  ['a new digest', later({ digestEpoch: 2 }), true],
  ['an error', { ...answer, error: 'gone' }, true],
  ['another pod', { ...answer, pod: 'q' }, true],
])('%s', (_what, after, news) => {
  expect(isNews(answer, after, soon)).toBe(news);
});

test('while a run waits, another reason is news', () => {
  const waiting = later({ state: 'waiting', reason: '0 of 2 ready' });
  expect(isNews(waiting, later({ state: 'waiting', reason: '1 of 2 ready' }), soon)).toBe(true);
});

test('progress is news when its time has come, which is later with many jobs: 20 per second of all together', () => {
  expect(isNews(answer, later({ step: 6 }), { toldMs: 5000, intervalMs: 5000 })).toBe(true);
  expect([1, 100, 500].map(progressIntervalMs)).toEqual([5000, 5000, 25_000]);
});

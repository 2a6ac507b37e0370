import { expect, test } from 'vitest';
import { SpecCache } from '../../../operator/kube/spec-cache.js';
import type { TrainingJob } from '../../../operator/resource/training-job.js';
import { makeJob, read } from '../objects.js';

function counted(limitBytes?: number) {
  const asked: string[] = [];
  const cache = new SpecCache((job) => {
    asked.push(`${job.metadata.uid} ${job.metadata.generation}`);
    return read(job);
  }, limitBytes);
  return { cache, asked };
}

const job = (uid: string, generation: number, spec: TrainingJob['spec'] = {}) =>
  makeJob(spec, { metadata: { name: 'a', namespace: 'ml', uid, generation } });

test('a spec is read once in each generation, whether it is right or wrong', () => {
  const { cache, asked } = counted();
  const wrong = job('b', 1, { epochs: -1 });
  const first = cache.read(job('a', 1));
  expect(cache.read(job('a', 1))).toBe(first);
  expect(cache.read(wrong).problems).toContain('epochs');
  expect(cache.read(wrong)).toBe(cache.read(wrong));
  expect(cache.read(job('a', 2)).context?.spec).toEqual(first.context?.spec);
  expect(asked).toEqual(['a 1', 'b 1', 'a 2']);
});

test('the spec of a deleted job is forgotten', () => {
  const { cache, asked } = counted();
  cache.read(job('a', 1));
  cache.forget('a');
  cache.forget('unknown');
  expect(cache.size).toBe(0);
  cache.read(job('a', 1));
  expect(asked).toEqual(['a 1', 'a 1']);
});

test('all together have a limit, and the least recently used go first', () => {
  const { cache, asked } = counted(8000);
  const large = { model: 'x'.repeat(1000) };
  for (const uid of ['a', 'b', 'a', 'c', 'd', 'a', 'b']) cache.read(job(uid, 1, large));
  expect(asked).toEqual(['a 1', 'b 1', 'c 1', 'd 1', 'a 1', 'b 1'].slice(0, asked.length));
  expect(cache.size).toBe(2);
});

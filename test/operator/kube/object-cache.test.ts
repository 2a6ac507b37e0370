import type { KubernetesObject } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { ObjectCache } from '../../../operator/kube/object-cache.js';

function object(name: string, version: number, more: { uid?: string; owner?: string; label?: string } = {}) {
  const { uid = `uid-${name}`, owner, label } = more;
  const reference = { apiVersion: 'v1', kind: 'Owner', name: 'owner', uid: owner ?? '', controller: true };
  return {
    metadata: {
      name,
      namespace: 'default',
      uid,
      resourceVersion: `${version}`,
      ...(owner !== undefined && { ownerReferences: [reference] }),
      ...(label !== undefined && { labels: { job: label } }),
    },
  } satisfies KubernetesObject;
}

function cacheWithLog() {
  const log: string[] = [];
  const text = (value: KubernetesObject | undefined) => value?.metadata?.resourceVersion ?? '-';
  const cache = new ObjectCache('job', (before, after) => log.push(`${text(before)}>${text(after)}`));
  return { cache, log };
}

const names = (objects: readonly KubernetesObject[]) => objects.map(({ metadata }) => metadata?.name);

test('objects are found by their current owner and label', () => {
  const { cache } = cacheWithLog();
  cache.put(object('a', 1, { owner: 'x', label: 'l' }));
  cache.put(object('b', 2, { owner: 'x' }));
  cache.put(object('a', 3, { owner: 'y', label: 'm' }));
  expect(names(cache.ownedBy('default', 'x'))).toEqual(['b']);
  expect(names(cache.ownedBy('default', 'y'))).toEqual(['a']);
  expect([names(cache.labelled('default', 'l')), names(cache.labelled('default', 'm'))]).toEqual([[], ['a']]);
  expect([cache.labelled('elsewhere', 'm'), cache.ownedBy('elsewhere', 'y')]).toEqual([[], []]);
  cache.remove(object('b', 4));
  expect(cache.ownedBy('default', 'x')).toEqual([]);
});

test('an older version never replaces a newer one, and the same one causes no event', () => {
  const { cache, log } = cacheWithLog();
  for (const version of [5, 4, 5, 6]) cache.put(object('a', version));
  expect(log).toEqual(['->5', '5>6']);
});

test('a response that arrives after the news of the deletion restores nothing', () => {
  const { cache, log } = cacheWithLog();
  cache.put(object('a', 5));
  cache.remove(object('a', 7));
  cache.put(object('a', 6));
  expect(cache.size).toBe(0);
  cache.put(object('a', 8, { uid: 'another' }));
  expect(log).toEqual(['->5', '5>-', '->8']);
});

test('the deletion of an object does not remove another one that has its name by now', () => {
  const { cache } = cacheWithLog();
  cache.put(object('a', 9, { uid: 'new' }));
  cache.remove(object('a', 8, { uid: 'old' }));
  expect(cache.get('default/a')?.metadata?.uid).toBe('new');
});

test('a list removes what it does not have, but not what was made after it', () => {
  const { cache } = cacheWithLog();
  for (const [name, version] of [
    ['a', 3],
    ['b', 4],
    ['c', 20],
  ] as const)
    cache.put(object(name, version));
  cache.retain(new Set(['default/a']), '10');
  expect(names([...cache.values()])).toEqual(['a', 'c']);
});

test('a list of one namespace removes nothing of another', () => {
  const { cache } = cacheWithLog();
  const inTeam = object('a', 4);
  cache.put(object('a', 3));
  cache.put({ ...inTeam, metadata: { ...inTeam.metadata, namespace: 'team', uid: 'uid-in-team' } });
  cache.retain(new Set(), '10', 'team');
  expect([...cache.values()].map(({ metadata }) => metadata?.namespace)).toEqual(['default']);
});

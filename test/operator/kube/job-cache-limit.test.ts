import type { KubernetesObject } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import type { ReconcilerParts } from '../../../operator/kube/reconciler.js';
import { Api } from '../../../operator/kube/api.js';
import { Caches } from '../../../operator/kube/caches.js';
import { Connector } from '../../../operator/kube/connection.js';
import { readJob } from '../../../operator/kube/read-job.js';
import { Reconciler } from '../../../operator/kube/reconciler.js';
import { jobResource } from '../../../operator/kube/resources.js';
import { refusal, ScriptedServer, send } from '../api-stub.js';
import { keyId, makeJob, read } from '../objects.js';

const signal = new AbortController().signal;
const job = (name: string, version: number, model = 'x'.repeat(1000)) =>
  makeJob({ model }, { metadata: { name, namespace: 'ml', uid: `uid-${name}`, resourceVersion: `${version}` } });

function fill(caches: Caches, names: string, version: number): void {
  for (const name of names) caches.put(jobResource, job(name, version));
}
const dropped = (caches: Caches, names: string) => [...names].filter((name) => caches.job(`ml/${name}`) === 'dropped');

test('jobs have a common limit, and those that changed longest ago are dropped first', () => {
  const caches = new Caches(() => undefined, 7_000);
  fill(caches, 'abc', 1);
  expect(dropped(caches, 'abc')).toEqual([]);
  fill(caches, 'de', 2);
  expect(dropped(caches, 'abcde')).toEqual(['a', 'b']);
  expect(caches.jobs.size).toBe(5);
  fill(caches, 'a', 3);
  expect(dropped(caches, 'abcde')).toEqual(['b', 'c']);
});

test('the state of a dropped job is kept, for the metrics', () => {
  const caches = new Caches(() => undefined, 7_000);
  const status = { state: 'Failed' as const, message: 'x'.repeat(2000), conditions: [] };
  caches.put(jobResource, { ...job('z', 1), status } as KubernetesObject);
  fill(caches, 'ab', 2);
  expect(dropped(caches, 'zab')).toEqual(['z']);
  expect(caches.jobs.get('ml/z')).toMatchObject({ status: { state: 'Failed', conditions: [] } });
});

test('removed jobs make room', () => {
  const caches = new Caches(() => undefined, 7_000);
  fill(caches, 'abc', 1);
  for (const name of 'ab') caches.jobs.remove(job(name, 1));
  fill(caches, 'de', 2);
  expect([dropped(caches, 'cde'), caches.job('ml/a')]).toEqual([[], undefined]);
});

test('a dropped job is read again and planned for', async () => {
  const server = new ScriptedServer((_, response, url) =>
    url.pathname.endsWith('/a') ? send(response, job('a', 1)) : send(response, refusal(404, 'NotFound'), 404),
  );
  const api = new Api(new Connector(await server.start()));
  try {
    expect((await readJob(api, 'ml/a', signal))?.spec).toEqual(job('a', 1).spec);
    expect(await readJob(api, 'ml/gone', signal)).toBeUndefined();
    const planned: string[] = [];
    const parts = {
      caches: { job: () => 'dropped', childrenOf: () => [], workerPodsOf: () => [] },
      coordinators: { answer: () => undefined, follow: () => undefined },
      executor: {
        readJob: (key: string) => readJob(api, key, signal),
        taken: () => [],
        writeStatus: ({ metadata }: { metadata: { name: string } }) => Promise.resolve(planned.push(metadata.name)),
        execute: () => Promise.resolve(),
      },
      ...{ secrets: { keyId }, specs: { read } },
    } as unknown as ReconcilerParts;
    const reconciler = new Reconciler(parts);
    await reconciler.reconcile('ml/a');
    expect(await reconciler.reconcile('ml/gone')).toBeUndefined();
    expect(planned).toEqual(['a']);
  } finally {
    await server.close();
  }
});

import type { KubernetesObject } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { JsonSelector } from '../../../operator/kube/json-selector.js';
import { childResources, jobResource, podResource, type Resource } from '../../../operator/kube/resources.js';
import { keep, type PackedJob, selectionOf, unpackJob } from '../../../operator/kube/trim.js';
import { read } from '../objects.js';

/** The fields kept of an object from the API server. */
function received(resource: Resource, object: object): KubernetesObject {
  const found: KubernetesObject[] = [];
  const onValue = (value: unknown) => found.push(keep(resource, value as KubernetesObject));
  new JsonSelector({ selection: selectionOf(resource), onValue }).write(Buffer.from(JSON.stringify(object)));
  return found[0]!;
}

const base = { name: 'a', namespace: 'ml', uid: 'uid-a', resourceVersion: '1' };
const resourceOf = (kind: string) => childResources.find((resource) => resource.kind === kind)!;
const metadata = {
  ...base,
  managedFields: [{ manager: 'kubelet', operation: 'Update' }],
  annotations: { note: 'x'.repeat(250_000), 'lockstep.dev/applied': 'd' },
  labels: { 'lockstep.dev/job-uid': 'u', 'lockstep.dev/attempt': '1', team: 'x' },
  ownerReferences: [{ apiVersion: 'v1', kind: 'Job', name: 'owner', uid: 'u', controller: true }],
};
const kept = {
  ...base,
  annotations: { 'lockstep.dev/applied': 'd' },
  labels: { 'lockstep.dev/job-uid': 'u', 'lockstep.dev/attempt': '1' },
  ownerReferences: [{ uid: 'u', controller: true }],
};
const bytes = (object: object) => JSON.stringify(object).length;

describe('of an object is kept', () => {
  test('of a pod its state, of a Deployment its replicas, of other kinds their identity', () => {
    const status = {
      phase: 'Failed',
      podIP: '10.0.0.1',
      hostIP: '10.0.0.2',
      containerStatuses: [
        { name: 'coordinator', image: 'i', imageID: 'i@1', ready: false, restartCount: 0, state: {} },
      ],
    };
    const spec = { nodeName: 'node', replicas: 3, containers: [{ name: 'coordinator' }] };
    expect(received(podResource, { metadata, spec, status })).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: kept,
      spec: { nodeName: 'node' },
      status: {
        phase: 'Failed',
        podIP: '10.0.0.1',
        containerStatuses: [{ name: 'coordinator', ready: false, restartCount: 0, state: {} }],
      },
    });
    const deployment = received(resourceOf('Deployment'), { metadata, spec, status });
    expect(deployment).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: kept, spec: { replicas: 3 } });
    for (const kind of ['Service', 'ConfigMap', 'PersistentVolumeClaim']) {
      const found = received(resourceOf(kind), { kind: 'PartialObjectMetadata', metadata, spec, data: { a: 'b' } });
      expect(found).toEqual({ apiVersion: 'v1', kind, metadata: kept });
    }
  });

  test('nothing larger than our own objects ever are, and no more than a few kilobytes of any', () => {
    const owners = Array.from({ length: 10_000 }, (_, index) => ({ uid: `u${index}`, controller: false }));
    const applied = { 'lockstep.dev/applied': 'x'.repeat(200_000) };
    const hostile = { metadata: { ...metadata, annotations: applied, ownerReferences: owners }, spec: {} };
    const pod = { ...hostile, status: { phase: 'Running', message: 'x'.repeat(1_000_000) } };
    expect(received(podResource, pod)).toEqual({
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { ...base, labels: kept.labels, annotations: {} },
      spec: {},
    });
  });
});

describe('a job', () => {
  const job = (spec: object) => received(jobResource, { metadata, spec, status: { state: 'Running' } }) as PackedJob;
  const topology = JSON.stringify({ class_name: 'Sequential', config: { layers: 'x'.repeat(400_000) } });

  test('is kept without its topology, of which size and digest are known', () => {
    const packed = job({ preset: 'cluster-cnn3', model: 'net', topology });
    expect(bytes(packed)).toBeLessThan(600);
    const { spec, measured, status, metadata: found } = unpackJob(packed);
    expect(spec).toEqual({ preset: 'cluster-cnn3', model: 'net' });
    expect(measured).toEqual({ topology: { type: 'string', bytes: 400_062, sha256: expect.any(String) as string } });
    expect([status, found]).toEqual([{ state: 'Running' }, base]);
  });

  test.each([
    [
      'too long',
      { preset: 'cluster-cnn3', workers: { template: { spec: { x: 'y'.repeat(40_000) } } } },
      'got 40186 bytes and 4 levels',
    ],
    [
      'too deep',
      { preset: 'cluster-cnn3', workers: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as [] },
      'got 1156 bytes and 501 levels',
    ],
  ])('whose spec is %s is refused with the limit, and nothing of its spec is kept', (_, spec, found) => {
    const packed = job({ ...spec, topology });
    expect(bytes(packed)).toBeLessThan(400);
    const { problems } = read(unpackJob(packed));
    expect(problems).toMatch(/^spec: expected at most 32768 bytes of JSON and 24 levels without the topology, got /);
    expect(problems).toContain(found);
  });

  test.each([
    [
      'an object, as older versions took it',
      { model: 'net', topology: { class_name: 'Model' } },
      'got an object; delete',
    ],
    ['larger than a ConfigMap', { model: 'net', topology: '<'.repeat(1_000_000) }, 'got 1000002 bytes'],
    ['without a title', { topology }, 'model: expected a title for the topology'],
    ['with a path as its title', { model: '../net', topology }, 'got "../net"'],
  ])('whose topology is %s is refused without being read', (_, spec, words) => {
    expect(read(unpackJob(job({ preset: 'cluster-cnn3', ...spec }))).problems).toContain(words);
  });

  test('has a file named after its title for its topology, from which the coordinator takes the title', () => {
    const { context } = read(unpackJob(job({ preset: 'cluster-cnn3', model: 'net.v2', topology })));
    expect(context?.topology?.file).toBe('net.v2.json');
    expect(context?.spec).toMatchObject({ model: './net.v2.json' });
  });
});

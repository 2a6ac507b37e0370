import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type KubernetesObject,
  loadAllYaml,
  type V1PersistentVolumeClaim,
  type V1Pod,
  type V1PodTemplateSpec,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep, scratchDirectory } from '../e2e/lockstep.js';
import type { ApiClient } from './api-client.js';
import { missing } from './assets.js';
import { Cluster } from './cluster.js';
import { kubectlMissing } from './kubectl.js';

const skipped = missing ?? kubectlMissing;
const repository = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const limitMs = 30_000;
const namespace = 'restricted';
const standard = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
};

/** Folders below `deploy/` that kustomize can build; components are built by an overlay that uses them. */
const found = kustomizations(join(repository, 'deploy'));
const components = found.filter((folder) => folder.startsWith('deploy/plain/components/'));
const overlays = found.filter((folder) => !folder.includes('/components/') && !folder.endsWith('/crd'));
const examples = readdirSync(join(repository, 'deploy', 'examples')).map((file) => join('deploy', 'examples', file));

const title = 'manifests and a real API server (needs a Kubernetes control plane in KUBEBUILDER_ASSETS and kubectl)';

describe.skipIf(skipped !== undefined)(title, () => {
  const scratch = scratchDirectory();
  /** A user's copy of `deploy/`, with secrets made as its README says. */
  const place = join(scratch.path, 'deploy');
  let cluster: Cluster;
  let client: ApiClient;

  beforeAll(async () => {
    cpSync(join(repository, 'deploy'), place, { recursive: true });
    const secrets = join(place, 'plain', 'base', 'secrets');
    const made = await lockstep(['certs', '--out', secrets, '--host', 'lockstep-coordinator']);
    expect(made.code, made.stderr).toBe(0);
    writeFileSync(join(secrets, 'token'), 'a'.repeat(64));
    const natsSecrets = join(place, 'plain', 'components', 'nats', 'secrets');
    const server = await lockstep(['certs', '--out', natsSecrets, '--host', 'lockstep-nats']);
    expect(server.code, server.stderr).toBe(0);
    writeFileSync(join(natsSecrets, 'token'), 'b'.repeat(64));
    cluster = await Cluster.start({ crds: [join(place, 'crd', 'trainingjob.yaml')], controllers: false });
    client = cluster.client();
    await client.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: standard },
    });
    // Objects that a controller would create, by the names in the pods.
    await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  });
  afterAll(async () => {
    await cluster?.close();
    scratch.remove();
  });

  const build = async (folder: string) => (await run('kubectl', ['kustomize', folder], { timeout: limitMs })).stdout;
  /** Dry run of these objects by the API server. Warnings go to standard error. */
  const apply = (text: string, ...args: string[]) => {
    const file = join(scratch.path, 'objects.yaml');
    writeFileSync(file, text);
    const common = ['--kubeconfig', cluster.kubeconfig, 'apply', '--server-side', '--validate=strict', '-f', file];
    return run('kubectl', [...common, ...args], { timeout: limitMs });
  };
  const dryRun = (text: string, inNamespace = namespace) => apply(text, '--dry-run=server', '-n', inNamespace);
  /** Pods made from each template, in a namespace that only admits restricted ones. */
  const admitPods = async (text: string, inNamespace = namespace) => {
    const pods = podsOf(loadAllYaml(text) as KubernetesObject[], inNamespace);
    expect(pods.length).toBeGreaterThan(0);
    for (const pod of pods) await client.objects.create(pod, undefined, 'All');
  };

  it.each(overlays.filter((folder) => folder.startsWith('deploy/plain')))(
    'takes %s, pods restricted',
    async (folder) => {
      const text = await build(join(scratch.path, folder));
      const { stdout, stderr } = await dryRun(text);
      expect(stderr).toBe('');
      const objects = loadAllYaml(text) as KubernetesObject[];
      expect(stdout.trim().split('\n').length).toBe(objects.length);
      await admitPods(text);
    },
  );

  it.each(components)('takes %s in an overlay', async (folder) => {
    const overlay = join(place, 'plain', 'overlays', 'with-component');
    mkdirSync(overlay, { recursive: true });
    const component = relative(overlay, join(scratch.path, folder));
    writeFileSync(join(overlay, 'kustomization.yaml'), `resources: [../cpu]\ncomponents: [${component}]\n`);
    const text = await build(overlay);
    expect((await dryRun(text)).stderr).toBe('');
    await admitPods(text);
  });

  it.each(overlays.filter((folder) => folder.startsWith('deploy/operator')))(
    'takes the operator of %s, whose namespace refuses what is not restricted',
    async (folder) => {
      for (const name of ['team-a', 'team-b'])
        await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      const text = await build(join(scratch.path, folder));
      const { stderr } = await apply(text, '--force-conflicts');
      expect(stderr).toBe('');
      await admitPods(text, 'lockstep-system');
    },
  );

  it('serves no metrics without the component for Prometheus', async () => {
    const manifests = join(place, 'operator', 'manifests');
    const closed = await build(manifests);
    expect(closed).not.toContain('metrics');
    const overlay = join(place, 'operator', 'with-metrics');
    mkdirSync(overlay);
    const lines = ['resources: [../manifests]', 'components: [../components/metrics]'];
    writeFileSync(join(overlay, 'kustomization.yaml'), `${lines.join('\n')}\n`);
    const text = await build(overlay);
    expect(text).toContain('- --metrics=0.0.0.0:9090');
    expect(text).toContain('kubernetes.io/metadata.name: monitoring');
    expect((await apply(text, '--force-conflicts')).stderr).toBe('');
    await admitPods(text, 'lockstep-system');
  });

  it.each(examples)('takes %s', async (file) => {
    const text = readFileSync(join(repository, file), 'utf8');
    const { stdout, stderr } = await dryRun(text);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n').length).toBe(loadAllYaml(text).length);
  });

  const withNats = (nats: object) =>
    dryRun(
      JSON.stringify({
        ...{ apiVersion: 'lockstep.dev/v1alpha1', kind: 'TrainingJob', metadata: { name: 'with-nats' } },
        spec: { preset: 'cluster-cnn3', nats },
      }),
    );
  const credentials = { secretName: 'lockstep.nats' };

  it.each([
    { url: 'tls://nats.example', credentials, ca: { secretName: 'lockstep.ca' } },
    { url: 'nats://a:4222,nats://[::1]:5' },
    { url: 'nats://nats', credentials, insecure: true },
    { url: 'tls://nats', credentials: { ...credentials, type: 'password', user: 'ada' } },
  ])('takes a job with nats: %j', async (nats) =>
    expect((await withNats(nats)).stdout).toContain('serverside-applied'),
  );

  it.each([
    [{ url: 'tls://ada:secret@nats' }, 'put them into a Secret: nats.credentials'],
    [{ url: 'ws://nats' }, 'spec.nats.url'],
    [{ url: 'nats://a,tls://b' }, 'spec.nats.url'],
    [{ url: 'nats://nats', credentials }, 'expected tls:// for credentials, or insecure: true'],
    [{ url: 'tls://nats', credentials: { secretName: 'other-token' } }, 'spec.nats.credentials.secretName'],
    [{ url: 'nats://nats', ca: { secretName: 'lockstep.ca' } }, 'expected a tls:// address for ca'],
    [{ url: 'tls://nats', credentials: { ...credentials, user: 'ada' } }, 'expected user with type password'],
    [{ url: 'tls://nats', credentials: { ...credentials, key: '../token' } }, 'spec.nats.credentials.key'],
  ])('refuses a job with nats: %j', async (nats, message) => {
    await expect(withNats(nats)).rejects.toThrow(message);
  });

  it('would refuse a pod that is not restricted, so the above means something', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace } };
    const spec = { containers: [{ name: 'c', image: 'lockstep' }] };
    await expect(client.objects.create({ ...pod, spec }, undefined, 'All')).rejects.toThrow(/violates PodSecurity/);
  });
});

/** Pod templates of Deployments, Jobs and StatefulSets. */
interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly template?: V1PodTemplateSpec;
    readonly volumeClaimTemplates?: readonly V1PersistentVolumeClaim[];
  };
}

function kustomizations(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const own = files.filter((file) => file.endsWith('kustomization.yaml'));
  return own.map((file) => relative(repository, dirname(join(folder, file)))).sort();
}

function podsOf(objects: readonly KubernetesObject[], namespace: string): V1Pod[] {
  return objects.flatMap((object) => {
    const { template, volumeClaimTemplates = [] } = (object as Workload).spec ?? {};
    if (!template?.spec) return [];
    const { labels = {} } = template.metadata ?? {};
    const metadata = { name: object.metadata!.name!, namespace, labels };
    // The service account belongs to another step; here only the pod itself is checked.
    const claims = volumeClaimTemplates.map(({ metadata }) => ({ name: metadata!.name!, emptyDir: {} }));
    const volumes = [...(template.spec.volumes ?? []), ...claims];
    const spec = { ...template.spec, volumes, automountServiceAccountToken: false };
    return [{ apiVersion: 'v1', kind: 'Pod', metadata, spec }];
  });
}

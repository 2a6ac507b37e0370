import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, parse } from 'yaml';
import { parseSpec } from '../../job/spec.js';
import { scratchDirectory } from '../e2e/lockstep.js';

/** The fields of an object that these tests read. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> } & Readonly<Record<string, unknown>>;
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: Pod;
    };
  };
}
interface Pod {
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    readonly secret?: { readonly secretName: string };
    readonly configMap?: { readonly name: string };
    readonly persistentVolumeClaim?: { readonly claimName: string };
  }[];
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly limits?: Readonly<Record<string, string>> };
}

const withKubectl = hasKubectl();
const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
const scratch = scratchDirectory();
const plain = join(scratch.path, 'plain');
const secrets = join(plain, 'base/secrets');
const natsSecrets = join(plain, 'components/nats/secrets');
const secretFiles = ['ca.crt', 'coordinator.crt', 'coordinator.key', 'worker.crt', 'worker.key', 'token'];
afterAll(scratch.remove);
beforeAll(() => {
  cpSync('deploy/plain', plain, { recursive: true });
  for (const name of secretFiles) {
    writeFileSync(join(secrets, name), `made for this test: ${name}`);
    writeFileSync(join(natsSecrets, name), `made for this test: ${name}`);
  }
});

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

function render(path: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', path], { encoding: 'utf8', stdio: 'pipe', timeout: 20_000 });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

const podsOf = (manifests: readonly Manifest[]) => manifests.flatMap((object) => object.spec?.template ?? []);
const worker = (manifests: readonly Manifest[]) =>
  podsOf(manifests).flatMap(({ spec }) => spec.containers.filter(({ name }) => name === 'worker'))[0]!;

const rendered = new Map<string, readonly Manifest[]>();
const overlays = ['.', 'overlays/cpu', 'overlays/gpu', 'overlays/gpu-tensorflow', 'overlays/kind', 'with-nats'];

describe.skipIf(!withKubectl)('manifests without the operator (needs kubectl)', () => {
  beforeAll(() => {
    const kustomization = { resources: ['../overlays/cpu'], components: ['../components/nats'] };
    cpSync(join(plain, 'kustomization.yaml'), join(plain, 'with-nats/kustomization.yaml'));
    writeFileSync(join(plain, 'with-nats/kustomization.yaml'), JSON.stringify(kustomization));
    for (const overlay of overlays) rendered.set(overlay, render(join(plain, overlay)));
  });

  it.each(overlays)('%s: every pod keeps to the restricted standard and has no account', (overlay) => {
    const pods = podsOf(rendered.get(overlay)!);
    expect(pods.length).toBe(overlay === 'with-nats' ? 3 : 2);
    for (const { spec } of pods) {
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const { securityContext } of spec.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  it.each(overlays)('%s: selectors find the pods, and what pods mount is there', (overlay) => {
    const manifests = rendered.get(overlay)!;
    const pods = podsOf(manifests);
    const named = (kind: string) =>
      manifests.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
    for (const { kind, spec } of manifests) {
      if (!['Service', 'Deployment', 'StatefulSet', 'PodDisruptionBudget'].includes(kind)) continue;
      const selector = Object.entries(spec?.selector?.matchLabels ?? spec?.selector ?? {});
      const found = pods.filter(({ metadata }) => selector.every(([key, value]) => metadata.labels[key] === value));
      expect(found.length, `${kind} ${JSON.stringify(selector)}`).toBe(1);
    }
    for (const volume of pods.flatMap(({ spec }) => spec.volumes)) {
      if (volume.secret) expect(named('Secret')).toContain(volume.secret.secretName);
      if (volume.configMap) expect(named('ConfigMap')).toContain(volume.configMap.name);
      if (volume.persistentVolumeClaim)
        expect(named('PersistentVolumeClaim')).toContain(volume.persistentVolumeClaim.claimName);
    }
  });

  it('has images of this version, and the GPU overlays ask for one GPU per worker', () => {
    const found = overlays.slice(1, 5).map((overlay) => worker(rendered.get(overlay)!));
    const tags = ['cpu', 'gpu', 'gpu-tensorflow', 'cpu'].map((target) => `lockstep:${version}-${target}`);
    expect(found.map(({ image }) => image)).toEqual(tags);
    expect(found.map(({ resources }) => resources.limits?.['nvidia.com/gpu'])).toEqual([
      undefined,
      '1',
      '1',
      undefined,
    ]);
  });

  it('trains jobs that Lockstep accepts, those of the GPU overlays on GPUs or not at all', () => {
    const engines = new Map<string, unknown>([
      ['overlays/gpu', { name: 'onnx', device: 'cuda' }],
      ['overlays/gpu-tensorflow', { name: 'tensorflow', device: 'auto' }],
    ]);
    for (const overlay of overlays) {
      const config = rendered.get(overlay)!.find(({ metadata }) => metadata.name === 'lockstep-job');
      const spec = parseSpec(parse(config!.data!['job.yaml']!));
      const engine = engines.get(overlay) ?? { name: 'native', device: 'auto' };
      expect(spec).toMatchObject({ model: 'cnn3', shards: 5, epochs: overlay === 'overlays/kind' ? 1 : 7, engine });
    }
  });

  it('gives the NATS server a key and a token of its own, and no command line a secret', () => {
    const manifests = rendered.get('with-nats')!;
    const pods = podsOf(manifests).map(({ spec }) => spec);
    const secretsOf = (name: string) =>
      pods
        .filter(({ containers }) => containers.some((container) => container.name === name))
        .flatMap(({ volumes }) => volumes.flatMap(({ secret }) => (secret ? [secret.secretName] : [])));
    expect(secretsOf('nats')).toEqual(['lockstep-nats']);
    expect(secretsOf('coordinator')).toEqual(['lockstep-coordinator-tls', 'lockstep-token', 'lockstep-nats-client']);
    expect(secretsOf('worker')).not.toContain('lockstep-nats-client');
    const args = pods.flatMap(({ containers }) => containers.flatMap((container) => container.args));
    expect(args.filter((arg) => /\$\(|:\/\/.*@/.test(arg))).toEqual([]);
    expect(args).toEqual(expect.arrayContaining(['--nats=tls://lockstep-nats:4222', '--config=/etc/nats/nats.conf']));
    const config = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'lockstep-nats');
    expect(config!.data!['nats.conf']).toMatch(/^http: 127\.0\.0\.1:8222$/m);
  });

  it("contains no secret: without the user's, it names the missing file", () => {
    const folders = ['deploy/plain/base/secrets', 'deploy/plain/components/nats/secrets'];
    const tracked = execFileSync('git', ['ls-files', ...folders], { encoding: 'utf8' });
    expect(tracked.trim().split('\n')).toEqual([
      'deploy/plain/base/secrets/.gitignore',
      'deploy/plain/base/secrets/README.md',
      'deploy/plain/components/nats/secrets/.gitignore',
      'deploy/plain/components/nats/secrets/README.md',
    ]);
    rmSync(join(secrets, 'token'));
    expect(() => render(plain)).toThrow(/secrets\/token/);
    writeFileSync(join(secrets, 'token'), 'made again');
  });
});

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { planJob } from '../../operator/plan/plan-job.js';
import { makeJob, noonMs, observe } from '../operator/objects.js';

const overlays = ['plain/overlays/cpu', 'plain/overlays/gpu', 'plain/overlays/gpu-tensorflow', 'plain/overlays/kind'];
const operators = ['operator/manifests', 'operator/manifests-namespaced', 'operator/manifests-any-template'];
const withNats = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../cpu]
components: [../../components/nats]
`;
const secrets = ['ca.crt', 'coordinator.crt', 'coordinator.key', 'worker.crt', 'worker.key', 'token'];

/**
 * Writes everything that deploy/ installs in a cluster into `directory`, one file per source: the overlays with made-up
 * secrets, the operator with its roles, the examples, and the objects that the operator makes for a job.
 */
export function renderManifests(directory: string): void {
  const copy = join(directory, 'source');
  const manifests = join(directory, 'manifests');
  cpSync('deploy', copy, { recursive: true });
  mkdirSync(join(copy, 'plain/overlays/nats'));
  mkdirSync(manifests);
  writeFileSync(join(copy, 'plain/overlays/nats/kustomization.yaml'), withNats);
  for (const folder of ['plain/base/secrets', 'plain/components/nats/secrets']) {
    for (const name of secrets) writeFileSync(join(copy, folder, name), 'made for a scan');
  }
  for (const folder of [...overlays, 'plain/overlays/nats', ...operators]) {
    const text = execFileSync('kubectl', ['kustomize', join(copy, folder)], { encoding: 'utf8', timeout: 60_000 });
    writeFileSync(join(manifests, `${folder.replaceAll('/', '-')}.yaml`), text);
  }
  cpSync(join(copy, 'examples'), manifests, { recursive: true });
  const { actions } = planJob(observe(makeJob()), noonMs);
  const objects = actions.flatMap((action) => (action.type === 'create' ? [stringify(action.object)] : []));
  writeFileSync(join(manifests, 'operator-objects.yaml'), objects.join('---\n'));
}

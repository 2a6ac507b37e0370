import { stringify } from 'yaml';
import { trainingJobCrd } from './crd.js';

/** `deploy/crd/trainingjob.yaml`, as `npm run crd` writes it. */
export function crdText(): string {
  const head = '# Generated from the schemas in operator/resource by: npm run crd\n';
  return head + stringify(trainingJobCrd(), { lineWidth: 0, aliasDuplicateObjects: false });
}

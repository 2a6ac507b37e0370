import { stringify } from 'yaml';
import { trainingJobCrd } from './crd.js';

/** Content of `deploy/crd/trainingjob.yaml`, written by `npm run crd`. */
export function crdText(): string {
  const head = '# Generated from the schemas in operator/resource by: npm run crd\n';
  return head + stringify(trainingJobCrd(), { lineWidth: 0, aliasDuplicateObjects: false });
}

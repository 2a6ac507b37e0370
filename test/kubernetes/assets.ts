import { join } from 'node:path';
import { isExecutable } from '../programs.js';

/** Programs of a control plane, as `build-assets.sh` builds them and envtest's folder has them. */
const programs = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
export type ControlPlaneProgram = (typeof programs)[number];

const folder = process.env['KUBEBUILDER_ASSETS'];

/** Reason why there is no API server to test with; undefined if there is one. */
export const missing = whyMissing();

export function programPath(program: ControlPlaneProgram): string {
  if (missing !== undefined) throw new Error(missing);
  return join(folder!, program);
}

function whyMissing(): string | undefined {
  if (folder === undefined) return 'KUBEBUILDER_ASSETS is not set (test/kubernetes/build-assets.sh DEST builds them)';
  const absent = programs.filter((program) => !isExecutable(join(folder, program)));
  return absent.length === 0 ? undefined : `KUBEBUILDER_ASSETS (${folder}) lacks ${absent.join(', ')}`;
}

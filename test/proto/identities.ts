import { type ClusterCertificates, makeCertificates } from '../../transport/certificates.js';
import type { TlsIdentity } from '../../transport/tls-identity.js';

/** Both sides of a cluster, as they are after `lockstep certs`. */
export interface Identities {
  readonly coordinator: TlsIdentity;
  readonly worker: TlsIdentity;
}

/** Certificates for a day from `nowMs` on, for 127.0.0.1 and localhost unless other hosts are given. */
export async function makeIdentities(
  hosts: readonly string[] = ['localhost', '127.0.0.1'],
  nowMs = Date.now(),
): Promise<Identities> {
  return identitiesOf(await makeCertificates({ hosts, days: 1, nowMs }));
}

export function identitiesOf({ ca, coordinator, worker }: ClusterCertificates): Identities {
  return { coordinator: { ca, ...coordinator }, worker: { ca, ...worker } };
}

/** For certificates that have expired or aren't valid yet. */
export const dayMs = 86_400_000;

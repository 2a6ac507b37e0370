import type { TlsIdentity } from '../transport/tls-identity.js';
import { channelOptions, Cluster, type ClusterClient } from '../transport/services.js';
import { channelSecurity } from '../transport/tls.js';

/** Address of a worker's coordinator, and the worker's credentials. */
export interface CoordinatorAddress {
  /** `HOST:PORT` of the coordinator. */
  readonly coordinator: string;
  readonly token?: string | undefined;
  readonly tls?: TlsIdentity | undefined;
}

/** A client with a connection of its own. */
export function clusterClient({ coordinator, tls }: CoordinatorAddress): ClusterClient {
  const security = channelSecurity(tls, coordinator);
  return new Cluster(coordinator, security.credentials, {
    ...channelOptions,
    ...security.options,
    'grpc.use_local_subchannel_pool': 1,
  });
}

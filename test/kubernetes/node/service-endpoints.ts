import type { V1Pod, V1Service, V1ServicePort } from '@kubernetes/client-node';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Targets of connections to a service's port: its ready pods that aren't being deleted. */
export function endpointsOf(service: V1Service, port: V1ServicePort, pods: Iterable<V1Pod>): Endpoint[] {
  const { selector } = service.spec ?? {};
  if (!selector) return [];
  const endpoints: Endpoint[] = [];
  for (const pod of pods) {
    const { metadata, status } = pod;
    if (metadata?.namespace !== service.metadata?.namespace) continue;
    if (!Object.entries(selector).every(([key, value]) => metadata?.labels?.[key] === value)) continue;
    const takes = isReadyPod(pod) || service.spec?.publishNotReadyAddresses === true;
    const number = targetPort(pod, port);
    if (takes && status?.podIP && number !== undefined) endpoints.push({ host: status.podIP, port: number });
  }
  return endpoints;
}

export function isReadyPod({ metadata, status }: V1Pod): boolean {
  if (metadata?.deletionTimestamp !== undefined) return false;
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Names of services, each with its addresses: its own, or its pods' if it has none. */
export function namesOf(services: Iterable<V1Service>, pods: readonly V1Pod[]): Record<string, string[]> {
  const names: Record<string, string[]> = {};
  for (const service of services) {
    const { namespace, name } = service.metadata!;
    const { clusterIP, ports = [] } = service.spec ?? {};
    const headless = () => endpointsOf(service, ports[0] ?? { port: 1 }, pods).map(({ host }) => host);
    names[`${namespace}/${name}`] = clusterIP === 'None' ? headless() : clusterIP ? [clusterIP] : [];
  }
  return names;
}

function targetPort(pod: V1Pod, { port, targetPort = port }: V1ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return ports.find(({ name }) => name === targetPort)?.containerPort;
}

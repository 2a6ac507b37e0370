import type { V1Container, V1EnvVar, V1Pod } from '@kubernetes/client-node';

/** The program that replaces an image here. */
export interface LocalImage {
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Inputs of a container's command, besides its pod. */
export interface ContainerContext {
  readonly image: LocalImage;
  /** Folder for each mount path of the container. */
  readonly folders: ReadonlyMap<string, string>;
  readonly podIp: string;
  readonly hostIp: string;
  /** Data of a ConfigMap or Secret of the pod's namespace, as strings; undefined if there is none. */
  readonly configMap: (name: string) => Readonly<Record<string, string>> | undefined;
  readonly secret: (name: string) => Readonly<Record<string, string>> | undefined;
}

export interface ContainerCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Working directory; if undefined, the node chooses it. */
  readonly workingDirectory?: string;
}

/** A kubelet's CreateContainerConfigError: retried, as the missing object may be created. */
export class ContainerConfigError extends Error {}

/**
 * A container's process, with the pod's mount paths replaced by their folders, and "every address" by the pod's own.
 *
 * Kubernetes's rules apply: `command` replaces the image's entrypoint and its command, `args` the command alone; `env`
 * overrides `envFrom`; `$(NAME)` is expanded from variables defined before, `$$(NAME)` isn't.
 */
export function commandOf(pod: V1Pod, container: V1Container, context: ContainerContext): ContainerCommand {
  const env = environmentOf(pod, container, context);
  const { entrypoint, command = [] } = context.image;
  const head = container.command ?? entrypoint;
  const tail = container.args ?? (container.command ? [] : command);
  const place = (text: string) => rewritePaths(text, context.folders).replaceAll('0.0.0.0', context.podIp);
  const local = (text: string) => place(expand(text, env));
  const workingDirectory = container.workingDir === undefined ? undefined : local(container.workingDir);
  return {
    argv: [...(container.command ? head.map(local) : head), ...tail.map(local)],
    env: { ...context.image.env, ...mapValues(env, place) },
    ...(workingDirectory === undefined || workingDirectory === container.workingDir ? {} : { workingDirectory }),
  };
}

/** Replaces `$(NAME)` where NAME is known; others are unchanged, and `$$` is one dollar. */
export function expand(text: string, known: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()]+)\)/g, (match, name: string | undefined) => {
    if (name === undefined) return '$';
    return known[name] ?? match;
  });
}

/** Replaces mount paths at the beginning of a path, whole segments only, the longest first. */
export function rewritePaths(text: string, folders: ReadonlyMap<string, string>): string {
  if (folders.size === 0) return text;
  const longestFirst = [...folders.keys()].sort((left, right) => right.length - left.length);
  const alternatives = longestFirst.map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const pattern = new RegExp(`(?<![\\w./-])(${alternatives})(?=/|$|[^\\w./-])`, 'g');
  return text.replace(pattern, (path) => folders.get(path)!);
}

function environmentOf(pod: V1Pod, container: V1Container, context: ContainerContext): Record<string, string> {
  const env: Record<string, string> = { HOSTNAME: pod.metadata?.name ?? '' };
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const source = configMapRef ?? secretRef;
    const read = configMapRef ? context.configMap : context.secret;
    const data = require_(read(source?.name ?? ''), source?.optional, `${source?.name}`);
    for (const [name, value] of Object.entries(data ?? {})) env[prefix + name] = value;
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(pod, container, variable, context);
    if (value !== undefined) env[variable.name] = variable.valueFrom ? value : expand(value, env);
  }
  return env;
}

function valueOf(
  pod: V1Pod,
  container: V1Container,
  { value, valueFrom }: V1EnvVar,
  context: ContainerContext,
): string | undefined {
  if (!valueFrom) return value ?? '';
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef) return fieldOf(pod, fieldRef.fieldPath, context);
  if (resourceFieldRef) return resourceOf(container, resourceFieldRef.resource);
  const reference = configMapKeyRef ?? secretKeyRef;
  const name = reference?.name ?? '';
  const data = configMapKeyRef ? context.configMap(name) : context.secret(name);
  return require_(data?.[reference?.key ?? ''], reference?.optional, `${name}/${reference?.key}`);
}

/** The downward API's fields. */
export function fieldOf(pod: V1Pod, path: string, { podIp, hostIp }: { podIp: string; hostIp: string }): string {
  const { metadata = {}, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec?.nodeName,
    'spec.serviceAccountName': spec?.serviceAccountName,
    'status.podIP': podIp,
    'status.podIPs': podIp,
    'status.hostIP': hostIp,
  };
  const value = fields[path];
  if (value === undefined) throw new ContainerConfigError(`unsupported field ${path}`);
  return value;
}

/** Only fields of the pod; a kubelet would fill in the node's own. */
function resourceOf(container: V1Container, resource: string): string {
  const [kind = '', ...name] = resource.split('.');
  const all = container.resources?.[kind as 'limits' | 'requests'] ?? {};
  return all[name.join('.')] ?? '0';
}

function require_<Value>(value: Value | undefined, optional: boolean | undefined, what: string): Value | undefined {
  if (value === undefined && optional !== true) throw new ContainerConfigError(`${what} not found`);
  return value;
}

function mapValues(record: Record<string, string>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

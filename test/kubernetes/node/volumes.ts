import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { V1Container, V1KeyToPath, V1Pod, V1Volume, V1VolumeProjection } from '@kubernetes/client-node';
import { fieldOf } from './container-command.js';

/** Sources of the volumes' contents. Absent objects are undefined. */
export interface VolumeSources {
  readonly configMap: (name: string) => Promise<Readonly<Record<string, string>> | undefined>;
  readonly secret: (name: string) => Promise<Readonly<Record<string, string>> | undefined>;
  /** Folder of the volume that is bound to a claim. */
  readonly claim: (name: string) => Promise<string | undefined>;
  readonly token: (audience: string | undefined, expirySeconds: number | undefined) => Promise<string>;
  readonly podIp: string;
  readonly hostIp: string;
}

/** An object that a pod needs doesn't exist yet: its containers wait, as with a kubelet's FailedMount. */
export class MountError extends Error {}

/** Creates the folders of a pod's volumes in `root`; those of claims and the host stay where they are. */
export async function materialise(pod: V1Pod, root: string, sources: VolumeSources): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  for (const volume of pod.spec?.volumes ?? []) {
    folders.set(volume.name, await folderOf(pod, volume, join(root, 'volumes', volume.name), sources));
  }
  return folders;
}

/** Folder for each mount path of a container; a `subPath` is a folder inside its volume. */
export async function mountsOf(container: V1Container, volumes: ReadonlyMap<string, string>) {
  const mounts = new Map<string, string>();
  for (const { mountPath, name, subPath } of container.volumeMounts ?? []) {
    const folder = volumes.get(name);
    if (folder === undefined) throw new MountError(`volume ${name} not found`);
    const target = subPath === undefined ? folder : join(folder, subPath);
    if (subPath !== undefined && !(await exists(target))) await mkdir(target, { recursive: true });
    mounts.set(mountPath.replace(/\/+$/, ''), target);
  }
  return mounts;
}

async function folderOf(pod: V1Pod, volume: V1Volume, folder: string, sources: VolumeSources): Promise<string> {
  const { configMap, secret, emptyDir, hostPath, persistentVolumeClaim, projected, downwardAPI } = volume;
  if (hostPath) return hostPath.path;
  if (persistentVolumeClaim) {
    const { claimName } = persistentVolumeClaim;
    return needed(await sources.claim(claimName), `persistentvolumeclaim "${claimName}"`);
  }
  await mkdir(folder, { recursive: true });
  if (emptyDir) return folder;
  const files =
    (configMap && (await configMapFiles(configMap, sources))) ??
    (secret && (await secretFiles({ ...secret, name: secret.secretName ?? '' }, sources))) ??
    (downwardAPI && downwardFiles(pod, downwardAPI.items ?? [], sources)) ??
    (projected && (await projectedFiles(pod, projected.sources ?? [], sources)));
  if (!files) throw new MountError(`volume ${volume.name} is of a kind that this node does not have`);
  await writeFiles(folder, files);
  return folder;
}

type Files = Record<string, string>;

async function projectedFiles(pod: V1Pod, projections: readonly V1VolumeProjection[], sources: VolumeSources) {
  const files: Files = {};
  for (const { configMap, secret, downwardAPI, serviceAccountToken } of projections) {
    if (configMap) Object.assign(files, await configMapFiles(configMap, sources));
    if (secret) Object.assign(files, await secretFiles(secret, sources));
    if (downwardAPI) Object.assign(files, downwardFiles(pod, downwardAPI.items ?? [], sources));
    if (serviceAccountToken) {
      const { path, audience, expirationSeconds } = serviceAccountToken;
      files[path] = await sources.token(audience, expirationSeconds);
    }
  }
  return files;
}

interface Reference {
  readonly name?: string;
  readonly items?: readonly V1KeyToPath[];
  readonly optional?: boolean;
}

async function configMapFiles({ name = '', items, optional }: Reference, sources: VolumeSources): Promise<Files> {
  const data = await sources.configMap(name);
  return choose(optional ? (data ?? {}) : needed(data, `configmap "${name}"`), items);
}

async function secretFiles({ name = '', items, optional }: Reference, sources: VolumeSources): Promise<Files> {
  const data = await sources.secret(name);
  return choose(optional ? (data ?? {}) : needed(data, `secret "${name}"`), items);
}

function downwardFiles(
  pod: V1Pod,
  items: readonly { path: string; fieldRef?: { fieldPath: string } }[],
  sources: VolumeSources,
): Files {
  return Object.fromEntries(
    items.map(({ path, fieldRef }) => [path, fieldOf(pod, fieldRef?.fieldPath ?? '', sources)]),
  );
}

/** Only the listed keys, under their paths, if any are listed. */
function choose(data: Readonly<Record<string, string>>, items: readonly V1KeyToPath[] | undefined): Files {
  if (!items) return { ...data };
  return Object.fromEntries(items.map(({ key, path }) => [path, needed(data[key], `key "${key}"`)]));
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, normalize(join('/', name)));
    await mkdir(dirname(path), { recursive: true });
    // Values are bytes, one per character.
    await writeFile(path, Buffer.from(text, 'latin1'), { mode: 0o600 });
  }
}

function needed<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new MountError(`${what} not found`);
  return value;
}

async function exists(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOTDIR',
  );
}

/** The data of a pod's own volumes is removed with the pod. */
export async function removeVolumes(root: string): Promise<void> {
  await rm(root, { recursive: true, force: true });
}

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeConfig, V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { ApiClient, unlessAbsent } from '../api-client.js';
import { Follow } from '../follow.js';

export interface Claims {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Folder of the volume that is bound to a claim; undefined while none is. */
  folderOf(namespace: string, claim: string): Promise<string | undefined>;
}

const className = 'folders';
const provisioner = 'lockstep.dev/test-folders';

/** Provides the default storage class: a folder for each claim, removed with the claim. */
export class ClaimProvisioner implements Claims {
  readonly #client: ApiClient;
  readonly #claims: Follow<V1PersistentVolumeClaim>;
  readonly #volumes: Follow<V1PersistentVolume>;

  constructor(
    config: KubeConfig,
    private readonly root: string,
  ) {
    this.#client = new ApiClient(config);
    const { core } = this.#client;
    const listClaims = () => core.listPersistentVolumeClaimForAllNamespaces();
    this.#claims = new Follow(config, '/api/v1/persistentvolumeclaims', listClaims, {
      onChange: (claim) => void this.#provide(claim).catch(() => undefined),
      onDelete: () => undefined,
    });
    const listVolumes = () => core.listPersistentVolume();
    this.#volumes = new Follow(config, '/api/v1/persistentvolumes', listVolumes, {
      onChange: (volume) => void this.#reclaim(volume).catch(() => undefined),
      onDelete: () => undefined,
    });
  }

  async start(): Promise<void> {
    await this.#client.apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: className, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'Immediate',
    });
    await Promise.all([this.#claims.start(), this.#volumes.start()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#claims.stop(), this.#volumes.stop()]);
  }

  async folderOf(namespace: string, name: string): Promise<string | undefined> {
    const claim = await unlessAbsent(this.#client.core.readNamespacedPersistentVolumeClaim({ namespace, name }));
    const volumeName = claim?.status?.phase === 'Bound' ? claim.spec?.volumeName : undefined;
    if (volumeName === undefined) return undefined;
    const volume = await unlessAbsent(this.#client.core.readPersistentVolume({ name: volumeName }));
    return volume?.spec?.hostPath?.path;
  }

  /** Creates a volume for a pending claim; the cluster's own controller binds them. */
  async #provide({ metadata, spec, status }: V1PersistentVolumeClaim): Promise<void> {
    const ours = spec?.storageClassName === className && status?.phase === 'Pending' && !spec.volumeName;
    if (!ours || metadata?.deletionTimestamp !== undefined) return;
    const { name, namespace, uid } = metadata!;
    const path = join(this.root, uid!);
    await mkdir(path, { recursive: true });
    await this.#client.apply<V1PersistentVolume>({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `claim-${uid}` },
      spec: {
        capacity: { storage: spec?.resources?.requests?.['storage'] ?? '1Gi' },
        accessModes: spec?.accessModes ?? ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: className,
        hostPath: { path },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: name!, namespace: namespace!, uid: uid! },
      },
    });
  }

  async #reclaim({ metadata, spec, status }: V1PersistentVolume): Promise<void> {
    if (spec?.storageClassName !== className || status?.phase !== 'Released') return;
    await rm(spec.hostPath!.path, { recursive: true, force: true });
    await unlessAbsent(this.#client.core.deletePersistentVolume({ name: metadata!.name! }));
  }
}

import { readFileSync } from 'node:fs';
import {
  ApiException,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  loadAllYaml,
  PatchStrategy,
} from '@kubernetes/client-node';

const fieldManager = 'lockstep-tests';

/** The fields that name an object of any kind. */
export interface ObjectName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Objects of any kind by name, for tests; absent ones are no error. */
export class ApiClient {
  readonly core: CoreV1Api;
  readonly leases: CoordinationV1Api;
  readonly objects: KubernetesObjectApi;
  readonly customObjects: CustomObjectsApi;

  constructor(readonly config: KubeConfig) {
    this.core = config.makeApiClient(CoreV1Api);
    this.leases = config.makeApiClient(CoordinationV1Api);
    this.objects = KubernetesObjectApi.makeApiClient(config);
    this.customObjects = config.makeApiClient(CustomObjectsApi);
  }

  /** Server-side apply; `metadata.name` decides which object. */
  apply<Kind extends KubernetesObject>(object: Kind): Promise<Kind> {
    return this.objects.patch(object, undefined, undefined, fieldManager, true, PatchStrategy.ServerSideApply);
  }

  async applyFile(path: string): Promise<void> {
    for (const object of readObjects(path)) await this.apply(object);
  }

  async create<Kind extends KubernetesObject>(object: Kind): Promise<Kind> {
    return this.objects.create(object);
  }

  find<Kind extends KubernetesObject>(name: ObjectName): Promise<Kind | undefined> {
    return unlessAbsent(this.objects.read<Kind>(name as ObjectName & Kind));
  }

  async get<Kind extends KubernetesObject>(name: ObjectName): Promise<Kind> {
    const found = await this.find<Kind>(name);
    if (!found) throw new Error(`get: expected ${name.kind} ${name.metadata.name}, found none`);
    return found;
  }

  async list<Kind extends KubernetesObject>(
    apiVersion: string,
    kind: string,
    namespace: string,
    labelSelector?: string,
  ): Promise<Kind[]> {
    const no = undefined;
    const { items } = await this.objects.list(apiVersion, kind, namespace, no, no, no, no, labelSelector);
    return items as Kind[];
  }

  /** @param options - `gracePeriodSeconds`, and which incarnation to delete. */
  async delete(name: ObjectName, options: { graceSeconds?: number; uid?: string } = {}): Promise<void> {
    const { graceSeconds: gracePeriodSeconds, uid } = options;
    // In the body: if there is one, the API server ignores the query.
    const body = {
      propagationPolicy: 'Background',
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    const no = undefined;
    await unlessAbsent(this.objects.delete(name, no, no, no, no, no, body));
  }

  /** Polls every 100 ms. @throws with the last value after `limitMs`. */
  async until<Kind extends KubernetesObject>(
    name: ObjectName,
    condition: (object: Kind | undefined) => boolean,
    what: string,
    limitMs = 30_000,
  ): Promise<Kind | undefined> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const object = await this.find<Kind>(name);
      if (condition(object)) return object;
      if (performance.now() > deadline) {
        const { metadata, kind } = name;
        throw new Error(`wait: expected ${kind} ${metadata.name} to be ${what} in ${limitMs} ms: ${brief(object)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Waits until the resources that the file defines are served. */
  async untilEstablished(file: string, limitMs: number): Promise<void> {
    type Definition = KubernetesObject & { status?: { conditions?: { type: string; status: string }[] } };
    const established = (object?: Definition) =>
      object?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
    for (const object of readObjects(file)) await this.until(nameOf(object), established, 'established', limitMs);
  }
}

function readObjects(path: string): KubernetesObject[] {
  return loadAllYaml(readFileSync(path, 'utf8')) as KubernetesObject[];
}

function nameOf(object: KubernetesObject): ObjectName {
  const { name = '', namespace } = object.metadata ?? {};
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return { apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', metadata };
}

/** An object's name in errors. */
function brief(object: (KubernetesObject & { status?: unknown }) | undefined): string {
  if (!object) return 'absent';
  const { uid, deletionTimestamp } = object.metadata ?? {};
  return JSON.stringify({ uid, deletionTimestamp, status: object.status });
}

export function isStatus(error: unknown, code: number): boolean {
  return error instanceof ApiException && error.code === code;
}

/** The request's result, or undefined if there is no such object. */
export async function unlessAbsent<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

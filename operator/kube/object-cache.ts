import type { KubernetesObject } from '@kubernetes/client-node';

/** Key of an object in a cache: `namespace/name`. */
export function keyOf(object: KubernetesObject): string {
  return `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
}

/** UID of the object's controller, if any. */
export function ownerOf(object: KubernetesObject): string | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller)?.uid;
}

/** Called for each change. @param before - undefined if the object is new. @param after - undefined if it was removed. */
export type ChangeListener = (before: KubernetesObject | undefined, after: KubernetesObject | undefined) => void;

const rememberedRemovals = 10_000;

/**
 * Cached objects of one kind, indexed by name, owner and one label.
 *
 * It holds responses to our own requests as well as events of the watch, so a plan sees the effects of the previous one.
 * An older version never replaces a newer version of the same object.
 */
export class ObjectCache {
  readonly #byKey = new Map<string, KubernetesObject>();
  readonly #byOwner = new Index();
  readonly #byLabel = new Index();
  /** UIDs of removed objects, which late responses must not bring back. */
  readonly #removed = new Set<string>();

  /** @param label - label to index objects by. */
  constructor(
    private readonly label: string,
    private readonly onChange: ChangeListener,
  ) {}

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): KubernetesObject | undefined {
    return this.#byKey.get(key);
  }

  values(): IterableIterator<KubernetesObject> {
    return this.#byKey.values();
  }

  /** @param uid - UID of an owner in the same namespace. */
  ownedBy(namespace: string, uid: string): readonly KubernetesObject[] {
    return this.#byOwner.get(`${namespace}/${uid}`);
  }

  /** @param value - value of the indexed label. */
  labelled(namespace: string, value: string): readonly KubernetesObject[] {
    return this.#byLabel.get(`${namespace}/${value}`);
  }

  put(object: KubernetesObject): void {
    const key = keyOf(object);
    const before = this.#byKey.get(key);
    if (this.#removed.has(object.metadata?.uid ?? '') || (before && isSameOrOlder(object, before))) return;
    this.#drop(key, before);
    this.#byKey.set(key, object);
    this.#byOwner.add(inNamespace(object, ownerOf(object)), key, object);
    this.#byLabel.add(this.#labelOf(object), key, object);
    this.onChange(before, object);
  }

  /** Removes an object, unless another one has its name. */
  remove(object: KubernetesObject): void {
    this.#remember(object.metadata?.uid);
    const key = keyOf(object);
    const before = this.#byKey.get(key);
    if (!before || before.metadata?.uid !== object.metadata?.uid) return;
    this.#drop(key, before);
    this.onChange(before, undefined);
  }

  /**
   * Removes objects missing from a complete list, except those created after it.
   * @param keys - keys of the listed objects. @param version - version of the list.
   * @param namespace - listed namespace; undefined: all.
   */
  retain(keys: ReadonlySet<string>, version: string | undefined, namespace?: string): void {
    const old = (object: KubernetesObject) => !(Number(object.metadata?.resourceVersion) > Number(version));
    const listed = ({ metadata }: KubernetesObject) => namespace === undefined || metadata?.namespace === namespace;
    const missing = [...this.#byKey].filter(([key, object]) => !keys.has(key) && listed(object) && old(object));
    for (const [, object] of missing) this.remove(object);
  }

  #remember(uid: string | undefined): void {
    if (uid !== undefined) this.#removed.add(uid);
    const [oldest] = this.#removed;
    if (this.#removed.size > rememberedRemovals && oldest !== undefined) this.#removed.delete(oldest);
  }

  #drop(key: string, object: KubernetesObject | undefined): void {
    if (!object) return;
    this.#byKey.delete(key);
    this.#byOwner.remove(inNamespace(object, ownerOf(object)), key);
    this.#byLabel.remove(this.#labelOf(object), key);
  }

  #labelOf(object: KubernetesObject): string | undefined {
    return inNamespace(object, object.metadata?.labels?.[this.label]);
  }
}

function inNamespace({ metadata }: KubernetesObject, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${metadata?.namespace ?? ''}/${value}`;
}

/** Objects by value. */
class Index {
  readonly #map = new Map<string, Map<string, KubernetesObject>>();

  get(value: string): readonly KubernetesObject[] {
    return [...(this.#map.get(value)?.values() ?? [])];
  }

  add(value: string | undefined, key: string, object: KubernetesObject): void {
    if (value === undefined) return;
    const objects = this.#map.get(value) ?? new Map<string, KubernetesObject>();
    this.#map.set(value, objects.set(key, object));
  }

  remove(value: string | undefined, key: string): void {
    if (value === undefined) return;
    const objects = this.#map.get(value);
    objects?.delete(key);
    if (objects?.size === 0) this.#map.delete(value);
  }
}

/** Compares versions as numbers: guaranteed since Kubernetes 1.35, and true in practice before. */
function isSameOrOlder(object: KubernetesObject, known: KubernetesObject): boolean {
  if (object.metadata?.uid !== known.metadata?.uid) return false;
  const [version, knownVersion] = [object, known].map(({ metadata }) => Number(metadata?.resourceVersion));
  return version! <= knownVersion!;
}

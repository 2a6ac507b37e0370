import type { KubernetesObject } from '@kubernetes/client-node';

/** An object's place in a cache. */
export function keyOf(object: KubernetesObject): string {
  return `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
}

/** UID of the object that `object` belongs to, if it belongs to one. */
export function ownerOf(object: KubernetesObject): string | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller)?.uid;
}

/** Told of each change. @param before - as it was; @param after - as it is; undefined: there was, or is, none. */
export type ChangeListener = (before: KubernetesObject | undefined, after: KubernetesObject | undefined) => void;

const rememberedRemovals = 10_000;

/**
 * The objects of one kind as they were last seen, found by name, by owner and by one label.
 *
 * Answers to our own requests go in as well as the watch's events, so that a plan sees what the last one did. An older
 * version never replaces a newer one of the same object.
 */
export class ObjectCache {
  readonly #byKey = new Map<string, KubernetesObject>();
  readonly #byOwner = new Index();
  readonly #byLabel = new Index();
  /** UIDs of what was removed: an answer of ours that comes after the watch's news brings nothing back. */
  readonly #gone = new Set<string>();

  /** @param label - the one to find objects by. */
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

  /** @param uid - of the owner in the same namespace. */
  ownedBy(namespace: string, uid: string): readonly KubernetesObject[] {
    return this.#byOwner.get(`${namespace}/${uid}`);
  }

  /** @param value - of the label, in one namespace. */
  labelled(namespace: string, value: string): readonly KubernetesObject[] {
    return this.#byLabel.get(`${namespace}/${value}`);
  }

  put(object: KubernetesObject): void {
    const key = keyOf(object);
    const before = this.#byKey.get(key);
    if (this.#gone.has(object.metadata?.uid ?? '') || (before && isSameOrOlder(object, before))) return;
    this.#drop(key, before);
    this.#byKey.set(key, object);
    this.#byOwner.add(inNamespace(object, ownerOf(object)), key, object);
    this.#byLabel.add(this.#labelOf(object), key, object);
    this.onChange(before, object);
  }

  /** Takes an object out, unless another one has its name by now. */
  remove(object: KubernetesObject): void {
    this.#remember(object.metadata?.uid);
    const key = keyOf(object);
    const before = this.#byKey.get(key);
    if (!before || before.metadata?.uid !== object.metadata?.uid) return;
    this.#drop(key, before);
    this.onChange(before, undefined);
  }

  /**
   * Takes out what a complete list does not have, but for what was made after it.
   * @param keys - of what is in the list. @param version - of the list.
   * @param namespace - the listed one; objects of others stay. Undefined: all.
   */
  retain(keys: ReadonlySet<string>, version: string | undefined, namespace?: string): void {
    const old = (object: KubernetesObject) => !(Number(object.metadata?.resourceVersion) > Number(version));
    const listed = ({ metadata }: KubernetesObject) => namespace === undefined || metadata?.namespace === namespace;
    const gone = [...this.#byKey].filter(([key, object]) => !keys.has(key) && listed(object) && old(object));
    for (const [, object] of gone) this.remove(object);
  }

  #remember(uid: string | undefined): void {
    if (uid !== undefined) this.#gone.add(uid);
    const [oldest] = this.#gone;
    if (this.#gone.size > rememberedRemovals && oldest !== undefined) this.#gone.delete(oldest);
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

/** Objects under each of some values. */
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

/** Versions of one object are ordered numbers: guaranteed since Kubernetes 1.35, and so in practice before. */
function isSameOrOlder(object: KubernetesObject, known: KubernetesObject): boolean {
  if (object.metadata?.uid !== known.metadata?.uid) return false;
  const [version, knownVersion] = [object, known].map(({ metadata }) => Number(metadata?.resourceVersion));
  return version! <= knownVersion!;
}

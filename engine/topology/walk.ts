import type { ModelTopology } from '../engine.js';
import { isObject, type Json } from './json.js';

/** One layer of a canonical topology: `{ class_name, config }`. Wrapped and nested layers have the same form. */
export interface LayerJson {
  readonly className: string;
  readonly name: string;
  readonly config: Json;
  /** All of it: in a functional model also `name` and `inbound_nodes`. */
  readonly entry: Json;
  /** Names of the layers that hold it and its own, without the model's, e.g. `base/conv1`. */
  readonly path: string;
}

/** Where classes keep the layers that they hold: one, or several. */
const childKeys: Readonly<Record<string, string>> = {
  Sequential: 'layers',
  Functional: 'layers',
  Model: 'layers',
  TimeDistributed: 'layer',
  Bidirectional: 'layer',
  RNN: 'cell',
  StackedRNNCells: 'cells',
};

/** Key of the configuration under which layers of the class keep others; undefined for those that hold none. */
export function childKeyOf(className: string): string | undefined {
  return Object.hasOwn(childKeys, className) ? childKeys[className] : undefined;
}

/** Models as layers: they hold other layers, and have no weights but theirs. */
export function isModel(className: string): boolean {
  return childKeyOf(className) === 'layers';
}

/** A copy of the topology in which `change` has replaced every layer, nested ones included, outer ones first. */
export function mapEntries(topology: ModelTopology, change: (layer: LayerJson) => Json): ModelTopology {
  return mapEntry(topology, undefined, change) as ModelTopology;
}

/** The same, where only configurations are replaced. */
export function mapLayers(topology: ModelTopology, change: (layer: LayerJson) => Json): ModelTopology {
  return mapEntries(topology, (layer) => ({ ...layer.entry, config: change(layer) }));
}

/** Every layer of the topology, outer ones first; the model itself counts as one. */
export function layersOf(topology: ModelTopology): LayerJson[] {
  const layers: LayerJson[] = [];
  mapEntries(topology, (layer) => {
    layers.push(layer);
    return layer.entry;
  });
  return layers;
}

/** Layers directly inside one. */
export function childrenOf({ className, config, path }: LayerJson): LayerJson[] {
  const key = childKeyOf(className);
  const held = key === undefined ? [] : config[key];
  return (Array.isArray(held) ? held : [held]).flatMap((child) => layerIn(child, path) ?? []);
}

/** @param parent - path of the layer that holds it; undefined for the outermost model. */
function mapEntry(value: unknown, parent: string | undefined, change: (layer: LayerJson) => Json): unknown {
  const layer = layerIn(value, parent);
  if (!layer) return value;
  const changed = change(layer);
  const key = childKeyOf(layer.className);
  const config = changed['config'];
  if (key === undefined || !isObject(config)) return changed;
  const map = (child: unknown) => mapEntry(child, layer.path, change);
  const held = config[key];
  return { ...changed, config: { ...config, [key]: Array.isArray(held) ? held.map(map) : map(held) } };
}

/** The layer that a value is; undefined when it is none. */
export function layerIn(value: unknown, parent?: string): LayerJson | undefined {
  if (!isObject(value)) return undefined;
  const { class_name: className, config } = value;
  if (typeof className !== 'string' || !isObject(config)) return undefined;
  const name = typeof config['name'] === 'string' ? config['name'] : '';
  const path = parent === undefined ? '' : parent === '' ? name : `${parent}/${name}`;
  return { className, name, config, entry: value, path };
}

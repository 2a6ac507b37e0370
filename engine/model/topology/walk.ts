import type { ModelTopology } from '../../engine.js';
import { isObject, type Json } from './json.js';

/** One layer of a canonical topology, `{ class_name, config }`. Wrapped and nested layers have the same form. */
export interface LayerJson {
  readonly className: string;
  readonly name: string;
  readonly config: Json;
  /** The whole object, in a functional model with `name` and `inbound_nodes`. */
  readonly entry: Json;
  /** Names of the enclosing layers and its own, without the model's, e.g. `base/conv1`. */
  readonly path: string;
}

/** Configuration keys under which classes hold one or several layers. */
const childKeys: Readonly<Record<string, string>> = {
  Sequential: 'layers',
  Functional: 'layers',
  Model: 'layers',
  TimeDistributed: 'layer',
  Bidirectional: 'layer',
  RNN: 'cell',
  StackedRNNCells: 'cells',
};

/** Key of the configuration under which a class holds other layers; undefined if it holds none. */
export function childKeyOf(className: string): string | undefined {
  return Object.hasOwn(childKeys, className) ? childKeys[className] : undefined;
}

/** True for models, which hold layers and have no weights of their own. */
export function isModel(className: string): boolean {
  return childKeyOf(className) === 'layers';
}

/** A copy of the topology with every layer, including nested ones, replaced by `change`, outer ones first. */
export function mapEntries(topology: ModelTopology, change: (layer: LayerJson) => Json): ModelTopology {
  return mapEntry(topology, undefined, change) as ModelTopology;
}

/** As `mapEntries`, but replaces only the configurations. */
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

/** @param parent - path of the layer around it; undefined for the outermost model. */
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

/** Reads a value as a layer; undefined if it isn't one. */
export function layerIn(value: unknown, parent?: string): LayerJson | undefined {
  if (!isObject(value)) return undefined;
  const { class_name: className, config } = value;
  if (typeof className !== 'string' || !isObject(config)) return undefined;
  const name = typeof config['name'] === 'string' ? config['name'] : '';
  const path = parent === undefined ? '' : parent === '' ? name : `${parent}/${name}`;
  return { className, name, config, entry: value, path };
}

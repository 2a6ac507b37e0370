import type { ModelTopology } from './engine.js';

/** One layer of a topology: `{ class_name, config }`. Wrapped and nested layers have the same form. */
export interface LayerJson {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

type Json = Readonly<Record<string, unknown>>;

/** A copy of the topology in which `change` has replaced the configuration of every layer, nested ones included. */
export function mapLayers(topology: ModelTopology, change: (layer: LayerJson) => Json): ModelTopology {
  return mapValue(topology, change) as ModelTopology;
}

/** Every layer of the topology, outer ones first; the model itself counts as one. */
export function layersOf(topology: ModelTopology): LayerJson[] {
  const layers: LayerJson[] = [];
  mapLayers(topology, (layer) => {
    layers.push(layer);
    return layer.config;
  });
  return layers;
}

function mapValue(value: unknown, change: (layer: LayerJson) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => mapValue(item, change));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Json;
  const layer = layerIn(object);
  const changed = layer ? { ...object, config: change(layer) } : object;
  return Object.fromEntries(Object.entries(changed).map(([key, item]) => [key, mapValue(item, change)]));
}

/** Initializers, regularizers and constraints have a class and a configuration too, but no name. */
function layerIn({ class_name: className, config }: Json): LayerJson | undefined {
  if (typeof className !== 'string' || typeof config !== 'object' || config === null) return undefined;
  const { name } = config as Json;
  return typeof name === 'string' ? { className, name, config: config as Json } : undefined;
}

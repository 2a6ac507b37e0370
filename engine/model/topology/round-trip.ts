import { sameShape } from '../../ir/shape.js';
import { inLayer } from './check-layers.js';
import { faultsError, type LayerFault } from './fault.js';
import { sameJson } from './json.js';

/** Compared fields of a TF.js layer, possibly of another copy of TF.js. */
interface Layer {
  readonly name: string;
  getClassName(): string;
}

/** Compared fields of a TF.js model. */
export interface Model extends Layer {
  readonly layers: readonly Layer[];
  readonly weights: readonly { readonly originalName: string; readonly shape: readonly (number | null)[] }[];
}

/**
 * Rejects a model that changes when its topology is written and read back, because TF.js doesn't write every setting.
 * @param own - the original model.
 * @param reloaded - the model read back from its topology.
 * @throws EngineError UNSUPPORTED_MODEL that names layer and setting.
 */
export function checkRoundTrip(own: Model, reloaded: Model): void {
  const settings = settingFaults(own, reloaded);
  const faults = settings.length > 0 ? settings : weightFaults(own, reloaded);
  if (faults.length > 0) throw faultsError(faults);
}

const remedy = "leave the setting out, or write the model as a JSON file: TF.js's toJSON() loses it";

function settingFaults(own: Model, reloaded: Model): LayerFault[] {
  const others = layersIn(reloaded);
  return [...layersIn(own)].flatMap(([path, layer]) => {
    const other = others.get(path);
    return other ? differences(path, layer, other) : [];
  });
}

/** Settings that both layers have, with different values. */
function differences(path: string, layer: Layer, other: Layer): LayerFault[] {
  const [own, read] = [settingsOf(layer), settingsOf(other)];
  return [...own].flatMap(([key, value]) => {
    if (!read.has(key) || sameJson(value, read.get(key))) return [];
    const expected = `${JSON.stringify(read.get(key))}, as in its topology`;
    return [fault(path, layer, { key, expected, value, remedy })];
  });
}

function fault(path: string, layer: Layer, given: Parameters<typeof inLayer>[1]): LayerFault {
  return inLayer({ path, className: layer.getClassName(), name: layer.name, config: {}, entry: {} }, given);
}

/** Every layer of a model by its path of names. */
function layersIn(holder: Layer, prefix = ''): Map<string, Layer> {
  const held = holder as unknown as Record<string, unknown>;
  const children = ['layers', 'layer', 'cell', 'cells', 'forwardLayer', 'backwardLayer'].flatMap((key) => held[key]);
  const layers = new Map<string, Layer>();
  for (const child of children.filter(isLayer)) {
    const path = `${prefix}${child.name}`;
    layers.set(path, child);
    for (const [inner, layer] of layersIn(child, `${path}/`)) layers.set(inner, layer);
  }
  return layers;
}

function isLayer(value: unknown): value is Layer {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Layer>).getClassName === 'function';
}

/** Fields of a layer with plain values, and the names of activations; `undefined` counts as `null`. */
function settingsOf(layer: Layer): Map<string, unknown> {
  const entries = Object.entries(layer).flatMap(([key, value]): [string, unknown][] => {
    if (key === 'id' || key.startsWith('_')) return [];
    if (key.toLowerCase().endsWith('activation') && isLayer(value)) return [[key, value.getClassName()]];
    return isPlain(value) ? [[key, value ?? null]] : [];
  });
  return new Map(entries);
}

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain);
  return value === undefined || value === null || ['number', 'string', 'boolean'].includes(typeof value);
}

function weightFaults(own: Model, reloaded: Model): LayerFault[] {
  const read = new Map(reloaded.weights.map(({ originalName, shape }) => [originalName, shape as number[]]));
  const faults = own.weights.flatMap(({ originalName: name, shape }) => {
    const other = read.get(name);
    read.delete(name);
    if (other && sameShape(other, shape)) return [];
    const expected = `${other ? JSON.stringify(other) : 'to be absent'}, as in its topology`;
    return [fault(own.name, own, { key: `weight ${name}`, expected, value: shape, remedy })];
  });
  const added = [...read].map(([name, shape]) =>
    fault(own.name, own, { key: `weight ${name}`, expected: JSON.stringify(shape), value: undefined, remedy }),
  );
  return [...faults, ...added];
}

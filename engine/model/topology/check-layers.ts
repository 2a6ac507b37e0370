import { nearest } from '../../../util/hint.js';
import type { Fault, LayerFault } from './fault.js';
import { type Json, toSnake } from './json.js';
import type { LayerRules } from './layer-rules.js';
import { rulesOf } from './layer-table.js';
import type { LayerJson } from './walk.js';

/** Faults in a layer's own keys: its configuration and the keys next to it. */
export function layerFaults(layer: LayerJson): Fault[] {
  const rules = rulesOf(layer.className);
  if (!rules) return [unknownClass(layer.className)];
  const faults = [...entryFaults(layer), ...keyFaults(layer.config, rules)];
  if (faults.length > 0) return faults;
  const fault = rules.together?.(layer.config);
  return fault ? [fault] : [];
}

/** Adds the layer to a fault. */
export function inLayer({ path, className, config }: LayerJson, fault: Fault): LayerFault {
  const own = typeof config['name'] === 'string' ? config['name'] : className;
  return { ...fault, layer: path === '' ? own : path, className };
}

function unknownClass(className: string): Fault {
  const expected = 'to be a supported layer';
  return { key: 'class_name', expected, value: className, remedy: remedyFor(className) };
}

function remedyFor(className: string): string {
  if (/OpLambda$|^TensorFlowOpLayer$|^Lambda$/.test(className)) {
    return 'use a layer instead of an operation, such as Add, Multiply or Rescaling';
  }
  if (className === 'Masking') return 'remove it: masks of time steps are not supported';
  return 'use the layers that docs/reference/layers.md lists';
}

function keyFaults(config: Json, { keys }: LayerRules): Fault[] {
  const there = Object.entries(config).flatMap(([key, value]) => {
    const rule = Object.hasOwn(keys, key) ? keys[key] : undefined;
    return (rule ? rule.check(value, key) : unknownKey(key, value, Object.keys(keys))) ?? [];
  });
  const missing = Object.entries(keys).flatMap(([key, { required, accepts }]): Fault[] =>
    required && !Object.hasOwn(config, key)
      ? [{ key, expected: `to be ${accepts}`, value: undefined, remedy: `add ${key}` }]
      : [],
  );
  return [...there, ...missing];
}

/** Options of TF.js's functions that end up in `batch_input_shape`. */
const inputOptions = ['batch_size', 'input_dim'];

/**
 * Faults in the options of a layer made in JavaScript: unknown options, and settings that TF.js doesn't keep. All
 * others appear in the model's topology.
 */
export function optionFaults(className: string, options: Json): Fault[] {
  const keys = rulesOf(className)?.keys;
  if (!keys) return [];
  return Object.entries(options).flatMap(([option, value]) => {
    const key = toSnake(option);
    if (value === undefined || value === null || inputOptions.includes(key)) return [];
    if (!Object.hasOwn(keys, key)) return [unknownKey(option, value, Object.keys(keys).map(toCamel))];
    const rule = keys[key]!;
    return rule.use === 'fixed' ? (rule.check(value, option) ?? []) : [];
  });
}

function unknownKey(key: string, value: unknown, known: readonly string[]): Fault {
  const near = nearest(key, known);
  const hint = near.length > 0 ? `, or correct it to ${near.join(' or ')}` : '';
  return { key, expected: 'to be absent, as it is not supported', value, remedy: `remove it${hint}` };
}

function toCamel(key: string): string {
  return key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Keys next to `config` that record a file's origin; `name` and `inbound_nodes` are checked with the calls. */
const metadata = ['class_name', 'config', 'name', 'inbound_nodes', 'module', 'registered_name', 'build_config'];
const modelMetadata = ['keras_version', 'backend', 'compile_config'];

function entryFaults({ entry, className, path }: LayerJson): Fault[] {
  const known = [...metadata, 'shared_object_id', ...(path === '' ? modelMetadata : [])];
  const unknown = Object.keys(entry).filter((key) => !known.includes(key));
  const { module = null, registered_name: registered = null } = entry;
  const custom: Fault[] = [];
  if (!(module === null || (typeof module === 'string' && /^(keras|tf_keras|tensorflow)\b/.test(module)))) {
    custom.push({ key: 'module', expected: 'to be a module of Keras', value: module, remedy: ownClass });
  }
  if (!(registered === null || registered === className)) {
    custom.push({ key: 'registered_name', expected: 'to be null', value: registered, remedy: ownClass });
  }
  return [...unknown.map((key) => unknownKey(key, entry[key], known)), ...custom];
}

const ownClass = 'use a layer of Keras: custom classes are not supported';

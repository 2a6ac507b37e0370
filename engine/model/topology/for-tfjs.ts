import type { ModelTopology } from '../../engine.js';
import { inCallOrder } from './call-order.js';
import type { Json } from './json.js';
import { rulesOf } from './layer-table.js';
import type { Rules } from './rules.js';
import { type InitializerJson, initializerIn, initializerTable } from './value-rules.js';
import { childrenOf, isModel, type LayerJson, mapEntries } from './walk.js';

/**
 * A checked topology in the form that TF.js reads correctly: only keys that are read, calls without arguments,
 * initializers as objects of TF.js's classes.
 */
export function forTfjs(topology: ModelTopology): ModelTopology {
  return mapEntries(topology, (layer) => {
    const { entry, className } = layer;
    const { name, inbound_nodes: calls } = entry;
    const keys = rulesOf(className)?.keys ?? {};
    return {
      class_name: className,
      config: readConfig(inOrder(layer), keys),
      ...(name !== undefined && { name }),
      ...(Array.isArray(calls) && {
        inbound_nodes: (calls as unknown[][][]).map((call) => call.map(withoutArguments)),
      }),
    };
  });
}

function inOrder(layer: LayerJson): Json {
  const { className, config } = layer;
  if (!isModel(className) || className === 'Sequential') return config;
  return { ...config, layers: inCallOrder(childrenOf(layer)).map(({ entry }) => entry) };
}

function readConfig(config: Json, keys: Rules): Json {
  const entries = Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    const rule = keys[key];
    if (key === 'dtype') return [[key, 'float32']];
    if (rule?.use === 'neutral' && key !== 'name') return [];
    return [[key, rule?.initial === undefined ? value : initializer(value)]];
  });
  return Object.fromEntries(entries);
}

/**
 * Translates an initializer. TF.js draws `truncated_normal` as uniform, and `normal` as a truncated normal. It replaces
 * a 0 by its default, but keeps the smallest double, which is 0 in f32.
 */
function initializer(value: unknown): unknown {
  const read = initializerIn(value);
  if (!read) return value;
  const config = Object.entries(read.config).map(([key, setting]): [string, unknown] => {
    if (setting === 'truncated_normal' || setting === 'truncatedNormal') return [key, 'normal'];
    return [key, setting === 0 && zeroIsDefault.includes(key) ? Number.MIN_VALUE : setting];
  });
  return { ...read, config: Object.fromEntries(config) };
}

const zeroIsDefault = ['minval', 'maxval', 'stddev'];

function withoutArguments([layer, call, output]: unknown[]): unknown[] {
  return [layer, call, output, {}];
}

/**
 * A checked topology with every initializer spelled out, including TF.js's defaults, and every setting whose default
 * differs between TF.js and Keras.
 */
export function withDefaults(topology: ModelTopology): ModelTopology {
  return mapEntries(topology, ({ entry, className, config }) => {
    const keys = Object.entries(rulesOf(className)?.keys ?? {});
    const added = keys.flatMap(([key, rule]): [string, unknown][] => {
      if (Object.hasOwn(config, key)) return [];
      if (rule.initial !== undefined) return [[key, { class_name: rule.initial, config: {} }]];
      return rule.absent === undefined ? [] : [[key, rule.absent]];
    });
    return { ...entry, config: { ...Object.fromEntries(added), ...config } };
  });
}

/** True if an initializer draws random numbers and so takes a seed. */
export function isRandom({ class_name: className }: InitializerJson): boolean {
  return Object.hasOwn(initializerTable[className] ?? {}, 'seed');
}

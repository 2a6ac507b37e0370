import type { ModelTopology } from '../engine.js';
import type { Json } from './json.js';
import { rulesOf } from './layer-table.js';
import type { Rules } from './rules.js';
import { type InitializerJson, initializerIn, initializerTable } from './value-rules.js';
import { mapEntries } from './walk.js';

/**
 * A checked topology in the form that TF.js reads rightly: only keys that are read, calls without arguments,
 * initializers as objects, of TF.js's classes.
 */
export function forTfjs(topology: ModelTopology): ModelTopology {
  return mapEntries(topology, ({ entry, className, config }) => {
    const { name, inbound_nodes: calls } = entry;
    const keys = rulesOf(className)?.keys ?? {};
    return {
      class_name: className,
      config: readConfig(config, keys),
      ...(name !== undefined && { name }),
      ...(Array.isArray(calls) && {
        inbound_nodes: (calls as unknown[][][]).map((call) => call.map(withoutArguments)),
      }),
    };
  });
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

/** TF.js draws `truncated_normal` as uniform, and `normal` as a truncated normal. */
function initializer(value: unknown): unknown {
  const read = initializerIn(value);
  if (read?.config['distribution'] !== 'truncated_normal') return read;
  return { ...read, config: { ...read.config, distribution: 'normal' } };
}

function withoutArguments([layer, call, output]: unknown[]): unknown[] {
  return [layer, call, output, {}];
}

/** A checked topology in which every initializer is spelled out, also those that TF.js takes when there is none. */
export function withInitializers(topology: ModelTopology): ModelTopology {
  return mapEntries(topology, ({ entry, className, config }) => {
    const keys = Object.entries(rulesOf(className)?.keys ?? {});
    const added = keys.flatMap(([key, { initial }]): [string, Json][] =>
      initial !== undefined && config[key] === undefined ? [[key, { class_name: initial, config: {} }]] : [],
    );
    return { ...entry, config: { ...Object.fromEntries(added), ...config } };
  });
}

/** Whether an initializer draws random numbers, and so takes a seed. */
export function isRandom({ class_name: className }: InitializerJson): boolean {
  return Object.hasOwn(initializerTable[className] ?? {}, 'seed');
}

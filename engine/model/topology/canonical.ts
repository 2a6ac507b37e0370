import type { ModelTopology } from '../../engine.js';
import { isObject, type Json, toSnake } from './json.js';
import { childKeyOf } from './walk.js';

/**
 * The topology in one of the spellings that TF.js reads: keys of layers and configurations in snake case, Sequential's
 * configuration as an object, calls as lists of lists. Values are unchanged.
 */
export function canonical(topology: ModelTopology): ModelTopology {
  return canonicalLayer(topology) as ModelTopology;
}

function canonicalLayer(value: unknown): unknown {
  if (!isObject(value)) return value;
  const entry = withSnakeKeys(value);
  const { class_name: className, config, name } = entry;
  if (typeof className !== 'string') return entry;
  const calls = Array.isArray(entry['inbound_nodes']) ? { inbound_nodes: entry['inbound_nodes'].map(nested) } : {};
  if (Array.isArray(config)) {
    // The form of Keras before 2.2.3 and TF.js before 1.0. It lacks the model's own name.
    const object = { name: typeof name === 'string' ? name : 'sequential', layers: config };
    return { ...entry, ...calls, config: canonicalConfig(className, object) };
  }
  return isObject(config) ? { ...entry, ...calls, config: canonicalConfig(className, config) } : entry;
}

function canonicalConfig(className: string, config: Json): Json {
  const changed: Record<string, unknown> = { ...withSnakeKeys(config) };
  const key = childKeyOf(className);
  if (key !== undefined) {
    const held = changed[key];
    changed[key] = Array.isArray(held) ? held.map(canonicalLayer) : canonicalLayer(held);
  }
  for (const ends of ['input_layers', 'output_layers']) {
    if (Array.isArray(changed[ends])) changed[ends] = nested(changed[ends]);
  }
  return changed;
}

/** Converts keys to snake case. If a key occurs in both spellings, both are kept, so that the check rejects the second. */
function withSnakeKeys(object: Json): Json {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      const snake = toSnake(key);
      return [Object.hasOwn(object, snake) ? key : snake, value];
    }),
  );
}

/** Wraps a single `[layer, node, tensor]`, which may be written without the outer list. */
function nested(call: unknown): unknown {
  return Array.isArray(call) && typeof call[0] === 'string' ? [call] : call;
}

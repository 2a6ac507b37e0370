import { isObject, type Json } from './json.js';

const keras3 = "expected Keras 2's format, got Keras 3's; save it with the package tf_keras";
const graphModel =
  'expected a layers model, got a graph model, which is frozen and cannot be trained; ' +
  'convert the Keras model itself with --output_format tfjs_layers_model';

/**
 * Recognises model formats that may look like a Keras 2 topology but aren't.
 * @param value - a model file's JSON or a topology.
 * @returns "expected X, got Y; what to do"; undefined for other values.
 */
export function foreignFormat(value: Json): string | undefined {
  if (isGraphModel(value)) return graphModel;
  return isKeras3(value) ? keras3 : undefined;
}

function isGraphModel({ format, node, versions, library }: Json): boolean {
  return format === 'graph-model' || (Array.isArray(node) && (isObject(versions) || isObject(library)));
}

/** Recognises Keras 3 by its version, by `registered_name` at the outermost level, or by its shapes and calls. */
function isKeras3(value: Json): boolean {
  const { keras_version: version, generatedBy: generator } = value;
  if (/^3\./.test(String(version)) || /^keras v?3\./i.test(String(generator))) return true;
  if (Object.hasOwn(value, 'registered_name') && Object.hasOwn(value, 'class_name')) return true;
  return hasKeras3Layer(value['config']);
}

function hasKeras3Layer(config: unknown): boolean {
  const layers = Array.isArray(config) ? config : isObject(config) ? config['layers'] : undefined;
  return Array.isArray(layers) && layers.some((layer) => isObject(layer) && isKeras3Layer(layer));
}

function isKeras3Layer({ config, inbound_nodes: calls }: Json): boolean {
  if (Array.isArray(calls) && calls.some((call) => isObject(call) && Object.hasOwn(call, 'args'))) return true;
  if (!isObject(config)) return false;
  const { dtype } = config;
  const isPolicy = isObject(dtype) && dtype['class_name'] === 'DTypePolicy' && dtype['module'] === 'keras';
  return isPolicy || Object.hasOwn(config, 'batch_shape') || hasKeras3Layer(config);
}

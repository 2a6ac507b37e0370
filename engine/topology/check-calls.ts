import type { Fault } from './fault.js';
import { isObject, type Json } from './json.js';
import { childrenOf, isModel, type LayerJson } from './walk.js';

/** A call's inputs: which output of which call of which layer. */
interface Reference {
  readonly layer: string;
  readonly call: number;
}

/** Faults in how a functional model calls one of its layers. */
export function callFaults(layer: LayerJson, siblings: readonly LayerJson[]): Fault[] {
  const { entry, config, className } = layer;
  const calls = entry['inbound_nodes'];
  if (entry['name'] !== config['name']) {
    return [{ key: 'name', expected: 'as in config', value: entry['name'], remedy: 'write the same name in both' }];
  }
  if (!Array.isArray(calls)) {
    return [{ key: 'inbound_nodes', expected: 'a list of calls', value: calls, remedy: 'correct it' }];
  }
  const isInput = className === 'InputLayer';
  if (isInput !== (calls.length === 0)) {
    const expected = isInput ? 'an empty list' : 'a list of calls';
    return [{ key: 'inbound_nodes', expected, value: calls, remedy: isInput ? 'empty it' : 'remove the layer' }];
  }
  return calls.flatMap((call) => oneCall(call, siblings));
}

function oneCall(call: unknown, siblings: readonly LayerJson[]): Fault[] {
  if (!Array.isArray(call) || call.length === 0) return [malformed(call)];
  return call.flatMap((input) => {
    const fault = referenceFault(input, siblings, 'inbound_nodes');
    if (fault) return [fault];
    return argumentFaults((input as unknown[])[3]);
  });
}

function malformed(value: unknown): Fault {
  return { key: 'inbound_nodes', expected: 'lists of [layer, call, output]', value, remedy: 'correct it' };
}

/** Fault of `[layer, call, output, …]` that names nothing in the model. */
export function referenceFault(value: unknown, siblings: readonly LayerJson[], key: string): Fault | undefined {
  if (!Array.isArray(value) || value.length < 3 || value.length > 4) return { ...malformed(value), key };
  const [name, call] = value as unknown[];
  if (name === '_CONSTANT_VALUE') {
    const remedy = 'use a layer instead, such as Rescaling';
    return { key, expected: 'the outputs of layers, without constants', value, remedy };
  }
  const target = siblings.find((layer) => layer.name === name);
  if (!target) return { key, expected: 'the name of a layer of this model', value: name, remedy: 'correct the name' };
  const [first, last] = callRange(target);
  if (Number.isInteger(call) && (call as number) >= first && (call as number) <= last) return undefined;
  const expected = `call ${first === last ? first : `${first} to ${last}`} of ${target.name}`;
  return { key, expected, value: call, remedy: 'correct the number of the call' };
}

/** A model counts as called once before its first call, by its own inputs. */
function callRange({ className, entry }: LayerJson): [number, number] {
  const calls = Array.isArray(entry['inbound_nodes']) ? entry['inbound_nodes'].length : 0;
  if (className === 'InputLayer') return [0, 0];
  return isModel(className) ? [1, calls] : [0, calls - 1];
}

/** Arguments of a call: only `null` says nothing. */
function argumentFaults(given: unknown): Fault[] {
  if (given === undefined || given === null) return [];
  if (!isObject(given)) return [malformed(given)];
  return Object.entries(given).flatMap(([argument, value]): Fault[] => {
    if (value === null) return [];
    return [{ key: `inbound_nodes: ${argument}`, expected: 'to be absent', value, remedy: remedyFor(argument, value) }];
  });
}

function remedyFor(argument: string, value: unknown): string {
  if (argument !== 'training') return `call the layer without ${argument}`;
  return value === false
    ? 'call it without training: a layer in training uses batch statistics and dropout'
    : 'call it without training, which is true in training and false in evaluation';
}

/**
 * Layers in the order of calls that TF.js makes of a functional model: it goes over the list again and again, and
 * makes those calls whose inputs are there. It numbers calls as it makes them, so they have to come in their order.
 */
export function orderFaults(model: LayerJson): { layer: LayerJson; fault: Fault }[] {
  const layers = childrenOf(model);
  const made = new Map(layers.map((layer) => [layer.name, isModel(layer.className) ? 1 : 0]));
  for (const { name, className } of layers) if (className === 'InputLayer') made.set(name, 1);
  let waiting = layers.flatMap((layer) => callsOf(layer));
  while (waiting.length > 0) {
    const later: typeof waiting = [];
    for (const call of waiting) {
      const isReady = call.inputs.every((input) => made.get(input.layer)! > input.call);
      if (!isReady) later.push(call);
      else if (made.get(call.layer.name) !== call.number) return [outOfOrder(call.layer)];
      else made.set(call.layer.name, call.number + 1);
    }
    if (later.length === waiting.length) return later.map(({ layer }) => circular(layer));
    waiting = later;
  }
  return [];
}

interface Call {
  readonly layer: LayerJson;
  readonly number: number;
  readonly inputs: readonly Reference[];
}

function callsOf(layer: LayerJson): Call[] {
  const calls = (layer.entry['inbound_nodes'] ?? []) as unknown[][][];
  const first = isModel(layer.className) ? 1 : 0;
  return calls.map((inputs, i) => ({
    layer,
    number: first + i,
    inputs: inputs.map(([name, call]) => ({ layer: name as string, call: call as number })),
  }));
}

function circular(layer: LayerJson): { layer: LayerJson; fault: Fault } {
  const value = layer.entry['inbound_nodes'];
  const remedy = 'correct the calls';
  return { layer, fault: { key: 'inbound_nodes', expected: 'inputs that do not depend on it', value, remedy } };
}

function outOfOrder(layer: LayerJson): { layer: LayerJson; fault: Fault } {
  const value = layer.entry['inbound_nodes'];
  const remedy = 'list the layer after those that its first calls need';
  return { layer, fault: { key: 'inbound_nodes', expected: 'calls that can be made in their order', value, remedy } };
}

/** Faults in what a functional model takes and gives. */
export function endFaults(model: LayerJson): Fault[] {
  const layers = childrenOf(model);
  return ['input_layers', 'output_layers'].flatMap((key) => {
    const ends = model.config[key] as Json[];
    return ends.flatMap((end) => referenceFault(end, layers, key) ?? []);
  });
}

import { firstCall, misorderedCalls } from './call-order.js';
import type { Fault } from './fault.js';
import { isObject } from './json.js';
import { childrenOf, isModel, layerIn, type LayerJson } from './walk.js';

/** Faults in a functional model's calls of `layer`. */
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

/** Fault of a reference `[layer, call, output, …]` that doesn't exist in the model. */
function referenceFault(value: unknown, siblings: readonly LayerJson[], key: string): Fault | undefined {
  if (!Array.isArray(value) || value.length < 3 || value.length > 4) return { ...malformed(value), key };
  const [name, call, output] = value as unknown[];
  if (name === '_CONSTANT_VALUE') {
    const remedy = 'use a layer instead, such as Rescaling';
    return { key, expected: 'the outputs of layers, without constants', value, remedy };
  }
  const target = siblings.find((layer) => layer.name === name);
  if (!target) return { key, expected: 'the name of a layer of this model', value: name, remedy: 'correct the name' };
  const [first, last] = callRange(target);
  const calls = rangeFault(call, [first, last], key, `call of ${target.name}`);
  return calls ?? rangeFault(output, [0, outputsOf(target) - 1], key, `output of ${target.name}`);
}

function rangeFault(value: unknown, [first, last]: [number, number], key: string, what: string): Fault | undefined {
  if (Number.isInteger(value) && (value as number) >= first && (value as number) <= last) return undefined;
  const range = first === last ? `${first}` : `${first} to ${last}`;
  return { key, expected: `${range} as the ${what}`, value, remedy: 'correct the number' };
}

/** Number of a layer's outputs. Infinite for a recurrent layer that returns its states: TF.js checks those. */
function outputsOf({ className, config }: LayerJson): number {
  const inner = layerIn(config['layer'])?.config ?? {};
  if (config['return_state'] === true || inner['return_state'] === true) return Infinity;
  if (className === 'Sequential' || !isModel(className)) return 1;
  const { output_layers: outputs } = config;
  return Array.isArray(outputs) ? outputs.length : Infinity;
}

function callRange(layer: LayerJson): [number, number] {
  if (layer.className === 'InputLayer') return [0, 0];
  const { inbound_nodes: calls } = layer.entry;
  const first = firstCall(layer);
  return [first, first + (Array.isArray(calls) ? calls.length : 0) - 1];
}

/** Faults of a call's arguments. Only `training: null` is accepted: it is the default, for every layer of Keras. */
function argumentFaults(given: unknown): Fault[] {
  if (given === undefined || given === null) return [];
  if (!isObject(given)) return [malformed(given)];
  return Object.entries(given).flatMap(([argument, value]): Fault[] => {
    if (argument === 'training' && value === null) return [];
    return [{ key: `inbound_nodes: ${argument}`, expected: 'to be absent', value, remedy: remedyFor(argument, value) }];
  });
}

function remedyFor(argument: string, value: unknown): string {
  if (argument !== 'training') return `call the layer without ${argument}`;
  return value === false
    ? 'call it without training: a layer in training uses batch statistics and dropout'
    : 'call it without training, which is true in training and false in evaluation';
}

/** Faults of layers whose calls are circular, or can't be made in the listed order. */
export function orderFaults(model: LayerJson): { layer: LayerJson; fault: Fault }[] {
  return misorderedCalls(model).map(({ layer, circular }) => {
    const expected = circular ? 'inputs that do not depend on it' : 'calls that can be made in the listed order';
    const remedy = circular ? 'correct the calls' : 'use one layer for each call';
    return { layer, fault: { key: 'inbound_nodes', expected, value: layer.entry['inbound_nodes'], remedy } };
  });
}

/** Faults in a functional model's inputs and outputs. */
export function endFaults(model: LayerJson): Fault[] {
  const layers = childrenOf(model);
  return ['input_layers', 'output_layers'].flatMap((key) => {
    const ends = model.config[key] as unknown[];
    return ends.flatMap((end) =>
      Array.isArray(end) && end.length > 3 ? { ...malformed(end), key } : (referenceFault(end, layers, key) ?? []),
    );
  });
}

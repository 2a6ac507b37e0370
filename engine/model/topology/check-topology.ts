import type { ModelTopology } from '../../engine.js';
import { EngineError } from '../../errors.js';
import { callFaults, endFaults, orderFaults } from './check-calls.js';
import { inLayer, layerFaults } from './check-layers.js';
import { foreignFormat } from './format.js';
import { type Fault, faultsError, type LayerFault } from './fault.js';
import { childrenOf, isModel, layerIn, type LayerJson, layersOf } from './walk.js';

/**
 * Rejects models whose training would differ from their topology. Each key of each layer and call is either read or must
 * have the one implemented value.
 * @param topology - canonical.
 * @throws EngineError UNSUPPORTED_MODEL that names all faults, with layer, key and value.
 */
export function checkTopology(topology: ModelTopology): void {
  const foreign = foreignFormat(topology);
  if (foreign !== undefined) throw new EngineError('UNSUPPORTED_MODEL', `check model: ${foreign}`);
  const model = layerIn(topology);
  if (!model || !isModel(model.className)) {
    const keys = Object.keys(topology).slice(0, 5).join(', ');
    const message =
      'check model: expected a TF.js Layers topology of class Sequential, Functional or Model, with config, ' +
      `got ${model ? `class ${model.className}` : `an object with ${keys}`}; export it with Keras 2's to_json()`;
    throw new EngineError('UNSUPPORTED_MODEL', message);
  }
  const faults = [...faultsIn(model, 1), ...sharedFaults(topology)];
  if (faults.length > 0) throw faultsError(faults);
}

/**
 * All faults of a layer and of the layers inside it.
 * @param calls - number of calls of the layer in one run of the model.
 */
function faultsIn(layer: LayerJson, calls: number): LayerFault[] {
  const own = layerFaults(layer).map((fault) => inLayer(layer, fault));
  const children = childrenOf(layer);
  const held = children.flatMap((child) => faultsIn(child, calls * callsIn(layer, child)));
  const faults = [...own, ...statisticsFault(layer, calls), ...held];
  if (!isModel(layer.className)) return faults;
  // References only make sense between well-formed layers.
  return faults.length > 0 ? [...faults, ...callsAlone(layer, children)] : modelFaults(layer, children);
}

function modelFaults(model: LayerJson, children: readonly LayerJson[]): LayerFault[] {
  const names = nameFaults(children);
  if (names.length > 0 || model.className === 'Sequential') return names;
  const calls = callsAlone(model, children);
  if (calls.length > 0) return calls;
  const ends = endFaults(model).map((fault) => inLayer(model, fault));
  if (ends.length > 0) return ends;
  return orderFaults(model).map(({ layer, fault }) => inLayer(layer, fault));
}

function callsAlone({ className }: LayerJson, children: readonly LayerJson[]): LayerFault[] {
  if (className === 'Sequential') return [];
  return children.flatMap((child) => callFaults(child, children).map((fault) => inLayer(child, fault)));
}

/** Number of calls of a child in one call of the layer that holds it. */
function callsIn({ className }: LayerJson, child: LayerJson): number {
  if (className === 'TimeDistributed') return Infinity;
  const calls = child.entry['inbound_nodes'];
  return Array.isArray(calls) && className !== 'Sequential' ? calls.length : 1;
}

/** Fault of a layer with running statistics and several calls: TF.js would keep the last call's, Keras mixes them. */
function statisticsFault(layer: LayerJson, calls: number): LayerFault[] {
  if (layer.className !== 'BatchNormalization' || calls <= 1) return [];
  const value = calls === Infinity ? 'one per time step' : calls;
  const fault: Fault = {
    key: 'calls',
    expected: 'to be one, as it has running statistics',
    value,
    remedy: 'use one layer for each call',
  };
  return [inLayer(layer, fault)];
}

/** Faults of layers shared by two models. Keras writes them twice with one id; here they would not share weights. */
function sharedFaults(topology: ModelTopology): LayerFault[] {
  const layers = layersOf(topology).filter(({ entry }) => Object.hasOwn(entry, 'shared_object_id'));
  return layers.flatMap((layer, i) => {
    const { shared_object_id: id } = layer.entry;
    if (layers.findIndex(({ entry }) => entry['shared_object_id'] === id) === i) return [];
    const remedy = 'use the layer in one model';
    return [inLayer(layer, { key: 'shared_object_id', expected: 'that no other layer has', value: id, remedy })];
  });
}

function nameFaults(layers: readonly LayerJson[]): LayerFault[] {
  return layers.flatMap((layer, i) => {
    if (layers.findIndex(({ name }) => name === layer.name) === i) return [];
    const remedy = 'give every layer its own name';
    return [
      inLayer(layer, { key: 'name', expected: 'different from those of earlier layers', value: layer.name, remedy }),
    ];
  });
}

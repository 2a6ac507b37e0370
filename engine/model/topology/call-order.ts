import { childrenOf, isModel, type LayerJson } from './walk.js';

/** One call of a layer in a functional model. */
interface Call {
  readonly layer: LayerJson;
  readonly number: number;
  /** Calls whose outputs are its inputs. */
  readonly inputs: readonly { readonly layer: string; readonly call: number }[];
}

/** Number of a layer's first call. A model's calls start at 1, because applying it to its own inputs counts as call 0. */
export function firstCall({ className }: LayerJson): number {
  return isModel(className) ? 1 : 0;
}

function callsOf(layer: LayerJson): Call[] {
  const calls = (layer.entry['inbound_nodes'] ?? []) as unknown[][][];
  return calls.map((inputs, i) => ({
    layer,
    number: firstCall(layer) + i,
    inputs: inputs.map(([name, call]) => ({ layer: name as string, call: call as number })),
  }));
}

/**
 * The layers of a functional model in an order in which TF.js can make the first call of each as it reads them; the
 * given order if possible. References must be to layers of the model.
 */
export function inCallOrder(layers: readonly LayerJson[]): LayerJson[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const [ordered, begun] = [new Set<LayerJson>(), new Set<LayerJson>()];
  const visit = (layer: LayerJson): void => {
    if (begun.has(layer)) return;
    begun.add(layer);
    for (const { layer: name } of callsOf(layer)[0]?.inputs ?? []) visit(byName.get(name)!);
    ordered.add(layer);
  };
  layers.forEach(visit);
  return [...ordered];
}

/** A layer whose calls can't be made, or would be numbered differently. */
export interface Misordered {
  readonly layer: LayerJson;
  readonly circular: boolean;
}

/**
 * Simulates the calls of a functional model as TF.js makes them. TF.js goes over the layers repeatedly and makes those
 * calls whose inputs are available. It numbers a layer's calls as it makes them, so each must become possible before the
 * layer's later ones.
 */
export function misorderedCalls(model: LayerJson): Misordered[] {
  const layers = inCallOrder(childrenOf(model));
  const made = new Map(layers.map((layer) => [layer.name, layer.className === 'InputLayer' ? 1 : firstCall(layer)]));
  let waiting = layers.flatMap(callsOf);
  while (waiting.length > 0) {
    const later: Call[] = [];
    for (const call of waiting) {
      const isReady = call.inputs.every((input) => made.get(input.layer)! > input.call);
      if (!isReady) later.push(call);
      else if (made.get(call.layer.name) !== call.number) return [{ layer: call.layer, circular: false }];
      else made.set(call.layer.name, call.number + 1);
    }
    if (later.length === waiting.length) return later.map(({ layer }) => ({ layer, circular: true }));
    waiting = later;
  }
  return [];
}

import { childrenOf, isModel, type LayerJson } from './walk.js';

/** One call of a layer in a functional model. */
interface Call {
  readonly layer: LayerJson;
  readonly number: number;
  /** Calls whose outputs it takes. */
  readonly inputs: readonly { readonly layer: string; readonly call: number }[];
}

/** Number of a layer's first call: a model counts as called once before, by its own inputs. */
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
 * The layers of a functional model in an order in which TF.js makes the first call of each when it comes to it; the
 * given order when that is one. References must be to layers of the model.
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

/** A layer whose calls cannot be made, or would be numbered otherwise. */
export interface Misordered {
  readonly layer: LayerJson;
  readonly circular: boolean;
}

/**
 * Makes the calls of a functional model as TF.js does: it goes over the layers again and again, and makes those calls
 * whose inputs are there. It numbers a layer's calls as it makes them, so they have to come in their order.
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

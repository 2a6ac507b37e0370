import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { TraceBackend } from './backend.js';

type Layer = LayersModel['layers'][number];

/** Runs `trace`; meanwhile the backend knows which of the model's layers is being called, for error messages. */
export function watchLayers<T>(model: LayersModel, backend: TraceBackend, trace: () => T): T {
  for (const layer of allLayers(model)) watch(layer, backend);
  const result = trace();
  backend.layer = undefined;
  return result;
}

function allLayers(container: { layers?: Layer[] }): Layer[] {
  return (container.layers ?? []).flatMap((layer) => [layer, ...allLayers(layer as { layers?: Layer[] })]);
}

function watch(layer: Layer, backend: TraceBackend): void {
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    backend.layer = layer.name;
    return call(inputs, kwargs);
  };
}

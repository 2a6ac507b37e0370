import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { allLayers, type Layer } from '../model/layers.js';
import { tf } from '../model/tfjs/tf.js';
import { type Call, inPlaceOf, type TraceContext } from './layers.js';

/** Where the name of the layer is kept that is at work. */
export interface Place {
  layer: string | undefined;
}

/**
 * Runs `trace`; meanwhile, and while gradients are taken, `place` says which of the model's layers it is about, for
 * error messages. Layers that cannot be recorded as they are, are recorded in another form.
 */
export function watchLayers<T>(model: LayersModel, place: Place, context: TraceContext, trace: () => T): T {
  for (const layer of allLayers(model)) watch(layer, place, context);
  const result = trace();
  place.layer = undefined;
  return result;
}

function watch(layer: Layer, place: Place, context: TraceContext): void {
  const own: Call = layer.call.bind(layer);
  const call = inPlaceOf(layer, own, context);
  layer.call = (inputs: Tensor | Tensor[], kwargs: Record<string, unknown>) => {
    place.layer = layer.name;
    context.guard?.(layer, inputs);
    const y = call(inputs, kwargs);
    return context.training && !Array.isArray(y) ? marked(y, layer.name, place) : y;
  };
}

/** y; when its gradient is taken, the place knows that what follows is the layer's own. */
function marked(y: Tensor, layer: string, place: Place): Tensor {
  const identity = tf.customGrad((...args) => {
    const gradFunc = (dy: Tensor) => {
      place.layer = layer;
      return dy;
    };
    return { value: (args[0] as Tensor).clone(), gradFunc };
  });
  return identity(y);
}

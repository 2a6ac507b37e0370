import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { allLayers, type Layer } from '../model/layers.js';
import { tf } from '../model/tfjs/tf.js';
import { type Call, recordedCall, type TraceContext } from './layers.js';

/** Name of the layer being called or differentiated. */
export interface CurrentLayer {
  layer: string | undefined;
}

/**
 * Runs `trace` with wrapped layers. During calls and gradients, `current` is the layer, for error messages. Layers that
 * can't be recorded as is are replaced; see `recordedCall`.
 */
export function wrapLayers<T>(model: LayersModel, current: CurrentLayer, context: TraceContext, trace: () => T): T {
  for (const layer of allLayers(model)) watch(layer, current, context);
  const result = trace();
  current.layer = undefined;
  return result;
}

function watch(layer: Layer, current: CurrentLayer, context: TraceContext): void {
  const own: Call = layer.call.bind(layer);
  const call = recordedCall(layer, own, context);
  layer.call = (inputs: Tensor | Tensor[], kwargs: Record<string, unknown>) => {
    current.layer = layer.name;
    context.check?.(layer, inputs);
    const y = call(inputs, kwargs);
    return context.training && !Array.isArray(y) ? marked(y, layer.name, current) : y;
  };
}

/** Identity that sets `current` to the layer when its gradient is computed. */
function marked(y: Tensor, layer: string, current: CurrentLayer): Tensor {
  const identity = tf.customGrad((...args) => {
    const gradFunc = (dy: Tensor) => {
      current.layer = layer;
      return dy;
    };
    return { value: (args[0] as Tensor).clone(), gradFunc };
  });
  return identity(y);
}

import type { LayersModel } from '@tensorflow/tfjs-layers';

export type Layer = LayersModel['layers'][number];
/** A model or a model inside it, or a wrapper such as `timeDistributed`, which calls the layer that it holds. */
type Holder = { readonly layers?: readonly Layer[]; readonly layer?: Layer };

/** Every layer of a loaded model, those of models inside it and of wrappers too, outer ones first. */
export function allLayers(holder: object): Layer[] {
  const { layers = [], layer } = holder as Holder;
  return [...layers, ...(layer ? [layer] : [])].flatMap((inner) => [inner, ...allLayers(inner)]);
}

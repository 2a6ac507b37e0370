import type { LayersModel } from '@tensorflow/tfjs-layers';

export type Layer = LayersModel['layers'][number];
/** A model, a nested model, or a wrapper such as `timeDistributed`. */
type Holder = { readonly layers?: readonly Layer[]; readonly layer?: Layer };

/** Every layer of a loaded model, including those of nested models and wrappers, outer ones first. */
export function allLayers(holder: object): Layer[] {
  const { layers = [], layer } = holder as Holder;
  return [...layers, ...(layer ? [layer] : [])].flatMap((inner) => [inner, ...allLayers(inner)]);
}

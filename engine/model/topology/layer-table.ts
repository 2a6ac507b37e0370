import { convolutionRules } from './convolution-rules.js';
import type { LayerRules } from './layer-rules.js';
import { activationRules, denseRules, dropoutRules, normRules, otherRules } from './other-rules.js';
import { modelRules, recurrentRules, wrapperRules } from './recurrent-rules.js';
import { mergingRules, poolingRules, shapeRules } from './shape-rules.js';

/** Classes by kind, in the order of the reference. */
export const layerKinds = {
  dense: denseRules,
  convolutions: convolutionRules,
  pooling: poolingRules,
  normalisation: normRules,
  dropout: dropoutRules,
  activations: activationRules,
  shape: shapeRules,
  merging: mergingRules,
  recurrent: recurrentRules,
  wrappers: wrapperRules,
  models: modelRules,
  other: otherRules,
} as const satisfies Record<string, Readonly<Record<string, LayerRules>>>;

const table = new Map<string, LayerRules>(Object.values(layerKinds).flatMap((rules) => Object.entries(rules)));

/** Rules of a class of layers; undefined for unknown classes. */
export function rulesOf(className: string): LayerRules | undefined {
  return table.get(className);
}

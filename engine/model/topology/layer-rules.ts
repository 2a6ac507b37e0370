import type { Fault } from './fault.js';
import type { Json } from './json.js';
import { none, only, rule, type Rule, type Rules } from './rules.js';
import { float32, noConstraint, noRegularizer, shape } from './value-rules.js';

/** Rules for the keys of one class of layers. */
export interface LayerRules {
  readonly keys: Rules;
  /** Checks combinations of values. Called if each value is valid by itself. */
  readonly together?: (config: Json) => Fault | undefined;
}

const named = rule(
  'neutral',
  'a name',
  (value) => typeof value === 'string' && value !== '',
  'give the layer a name, which seeds its initial weights',
);

/** Keys of every layer. */
export const commonKeys: Rules = {
  name: { ...named, required: true },
  trainable: only(true, 'set it to true: every layer is trained'),
  dtype: float32,
  batch_input_shape: shape,
  input_shape: shape,
  activity_regularizer: noRegularizer,
};

/** Rules for the initializer, regularizer and constraint of weights, e.g. `{ kernel: 'GlorotNormal' }`. */
export function weightKeys(initial: Readonly<Record<string, Rule>>): Rules {
  const entries = Object.entries(initial).flatMap(([weight, given]) => [
    [`${weight}_initializer`, given] as const,
    [`${weight}_regularizer`, noRegularizer] as const,
    [`${weight}_constraint`, noConstraint] as const,
  ]);
  return Object.fromEntries(entries);
}

/** Rules of a layer with the common keys and `keys`. */
export function layer(keys: Rules, together?: LayerRules['together']): LayerRules {
  return { keys: { ...commonKeys, ...keys }, ...(together && { together }) };
}

export const absent = none('remove it');

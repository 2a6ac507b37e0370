import type { Fault } from './fault.js';
import { isObject, sameJson, toSnake } from './json.js';
import { isList, none, oneOf, only, orNull, positive, number, rule, type Rule, type Rules } from './rules.js';

/** Rules for values that many layers share: activations, initializers, number types, shapes. */

/** Activations by name, as the layers reference lists them. `null` is linear. */
export const activationNames = [
  'elu',
  'gelu',
  'hard_sigmoid',
  'linear',
  'log_softmax',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
] as const;

const isActivation = (value: unknown) =>
  typeof value === 'string' && (activationNames as readonly string[]).includes(toSnake(value));
/** TF.js would read an object as a layer, with or without its settings. */
const activationRemedy = `use one of ${activationNames.join(', ')}; for other settings, add an activation layer after this one`;

export const activation = rule('read', 'the name of an activation', isActivation, activationRemedy);
export const activationOrNull = orNull(activation);

/** Workers don't compute the loss terms and projections of regularizers and constraints. */
export const noRegularizer = none("remove it; use the optimizer's weightDecay");
export const noConstraint = none('remove it');

/** Keras 2's policy object. Keras 3's has the class DTypePolicy. */
const isFloat32Policy = (value: unknown): boolean =>
  isObject(value) && value['class_name'] === 'Policy' && sameJson(value['config'], { name: 'float32' });
const isFloat32 = (value: unknown): boolean => value === 'float32' || isFloat32Policy(value);
export const float32 = rule('fixed', '"float32"', isFloat32, 'set it to float32: everything is computed in it');

const isDimension = (value: unknown) => value === null || (Number.isInteger(value) && (value as number) > 0);
export const shape = rule('read', 'a list of positive integers or null', (value) => isList(value, isDimension));

const noSeed = none('remove it: all random numbers depend on the seed of the job');
export const seed = noSeed;

const seeded: Rules = { seed: noSeed };
const random: Rules = { ...seeded, mean: number(-Infinity), stddev: number(0) };

/** Classes of initializers and their settings. Each may also have `dtype`. */
export const initializerTable: Readonly<Record<string, Rules>> = {
  Zeros: {},
  Ones: {},
  Constant: { value: number(-Infinity) },
  RandomUniform: { ...seeded, minval: number(-Infinity), maxval: number(-Infinity) },
  RandomNormal: random,
  TruncatedNormal: random,
  VarianceScaling: {
    ...seeded,
    scale: positive,
    mode: oneOf('fan_in', 'fan_out', 'fan_avg'),
    distribution: oneOf('normal', 'truncated_normal', 'uniform'),
  },
  GlorotNormal: seeded,
  GlorotUniform: seeded,
  HeNormal: seeded,
  HeUniform: seeded,
  LeCunNormal: seeded,
  LeCunUniform: seeded,
  Identity: { gain: number(-Infinity) },
  Orthogonal: { ...seeded, gain: number(-Infinity) },
};

/** An initializer as TF.js writes it. */
export interface InitializerJson {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Classes by lower-case name, as spellings differ: `lecun_normal`, `LecunNormal`, `leCunNormal`. */
const classByWord = new Map(Object.keys(initializerTable).map((name) => [name.toLowerCase(), name]));

/** Reads an initializer given as a name or an object; undefined for other values. Unknown classes are kept. */
export function initializerIn(value: unknown): InitializerJson | undefined {
  if (typeof value === 'string') return { class_name: classOf(value), config: {} };
  if (!isObject(value) || typeof value['class_name'] !== 'string') return undefined;
  const config = value['config'] ?? {};
  return isObject(config) ? { class_name: classOf(value['class_name']), config } : undefined;
}

function classOf(word: string): string {
  return classByWord.get(word.replaceAll('_', '').toLowerCase()) ?? word;
}

/**
 * Rule for an initializer and its settings.
 * @param initial - TF.js's default class.
 */
export function initializer(initial: string): Rule {
  return { use: 'read', accepts: 'an initializer', initial, check: initializerFault };
}

function initializerFault(value: unknown, key: string): Fault | undefined {
  const read = initializerIn(value);
  const known = Object.keys(initializerTable).join(', ');
  const rules = read && Object.hasOwn(initializerTable, read.class_name) && initializerTable[read.class_name];
  if (!rules) return { key, expected: 'an initializer', value, remedy: `use one of ${known}` };
  for (const [name, setting] of Object.entries(read.config)) {
    const inside = `${key}.${name}`;
    const own = Object.hasOwn(rules, name) ? rules[name] : name === 'dtype' ? only('float32') : undefined;
    if (!own) return { key: inside, expected: 'to be absent', value: setting, remedy: 'remove it' };
    const fault = own.check(setting, inside);
    if (fault) return fault;
  }
  return undefined;
}

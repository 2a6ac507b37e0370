import type { Dice } from './dice.js';
import type { Config } from './pieces.js';
import type { LayerNode, Topology } from './models.js';
import { foreignKeys, valueFor } from './values.js';

/** One change of a model's JSON. */
export interface Mutation {
  readonly kind: keyof typeof mutators | 'writeEverything';
  readonly layer: string;
  readonly className: string;
  readonly key: string;
  readonly value?: unknown;
  /** True if a default was written out or left out: the same model by definition. */
  readonly neutral: boolean;
}

type Change = Omit<Mutation, 'kind'> | undefined;
type Kind = keyof typeof mutators;
/** Changes `model` in place. `complete` has every layer's configuration as tf_keras writes it. */
type Mutator = (dice: Dice, model: Topology, complete: ReadonlyMap<string, Config>) => Change;

/** Every layer of a topology, outer ones first, including wrapped and nested ones and the model itself. */
export function layersOf(value: unknown): LayerNode[] {
  if (Array.isArray(value)) return value.flatMap(layersOf);
  if (typeof value !== 'object' || value === null) return [];
  const { class_name: className, config } = value as Partial<LayerNode>;
  const isLayer = typeof className === 'string' && typeof config?.['name'] === 'string';
  return [...(isLayer ? [value as LayerNode] : []), ...Object.values(value).flatMap(layersOf)];
}

export function configsOf(topology: object): Map<string, Config> {
  return new Map(layersOf(topology).map(({ config }) => [config['name'] as string, config]));
}

const containers = new Set(['Sequential', 'Functional', 'Model']);
const isLeaf = ({ class_name: name }: LayerNode) => !containers.has(name);
const aboutOf = ({ class_name: className, config }: LayerNode) => ({ layer: config['name'] as string, className });
const clone = <T>(value: T): T => structuredClone(value);

/** A random layer, rarely one of those that every model has: the input layer and the last two. */
function randomLeaf(dice: Dice, model: Topology): LayerNode {
  const leaves = layersOf(model).filter(isLeaf);
  const own = leaves.filter(({ class_name: name }, i) => name !== 'InputLayer' && i < leaves.length - 2);
  return dice.pick(own.length > 0 && dice.chance(0.85) ? own : leaves);
}

const writeDefault: Mutator = (dice, model, complete) => {
  const node = randomLeaf(dice, model);
  const missing = Object.entries(complete.get(node.config['name'] as string) ?? {}).filter(
    ([key]) => !Object.hasOwn(node.config, key) && key !== 'layer',
  );
  if (missing.length === 0) return undefined;
  const [key, value] = dice.pick(missing);
  node.config[key] = clone(value);
  return { ...aboutOf(node), key, value, neutral: true };
};

/** Writes out every default of one layer, as tf_keras does. */
const writeAllDefaults: Mutator = (dice, model, complete) => {
  const node = randomLeaf(dice, model);
  const config = complete.get(node.config['name'] as string);
  if (!config || Object.hasOwn(config, 'layer')) return undefined;
  Object.assign(node.config, { ...clone(config), ...clone(node.config) });
  return { ...aboutOf(node), key: Object.keys(config).join(','), neutral: true };
};

const required = /^(name|filters|units|kernel_size|rate|dims|target_shape|n|layer|activation)$/;

/** Removes a key. The change isn't called neutral here: the caller asks tf_keras if the model is still the same. */
const removeKey: Mutator = (dice, model) => {
  const node = randomLeaf(dice, model);
  const keys = Object.keys(node.config).filter((key) => key !== 'name' && (!required.test(key) || dice.chance(0.1)));
  if (keys.length === 0) return undefined;
  const key = dice.pick(keys);
  const value = node.config[key];
  delete node.config[key];
  return { ...aboutOf(node), key, value, neutral: false };
};

const changeValue: Mutator = (dice, model, complete) => {
  const node = randomLeaf(dice, model);
  const keys = Object.keys({ ...complete.get(node.config['name'] as string), ...node.config });
  const changeable = keys.filter((name) => name !== 'name' && name !== 'layer');
  if (changeable.length === 0) return undefined;
  const key = dice.pick(changeable);
  const value = valueFor(dice, key);
  node.config[key] = clone(value);
  return { ...aboutOf(node), key, value, neutral: false };
};

const addForeignKey: Mutator = (dice, model) => {
  const node = randomLeaf(dice, model);
  const key = dice.pick(foreignKeys);
  if (Object.hasOwn(node.config, key)) return undefined;
  const value = valueFor(dice, key);
  node.config[key] = clone(value);
  return { ...aboutOf(node), key, value, neutral: false };
};

const addNonsense: Mutator = (dice, model) => {
  const node = dice.pick(layersOf(model));
  const key = dice.pick(['colour', 'stridess', 'Filters', 'kernelSize', 'units_', 'useBias', '_', '__proto', 'x-y']);
  const value = dice.pick([null, 1, true, 'red', [2, 2], { a: 1 }]);
  node.config[key] = clone(value);
  return { ...aboutOf(node), key, value, neutral: false };
};

const layerFields: readonly (readonly [string, unknown])[] = [
  ['module', 'keras.layers'],
  ['registered_name', null],
  ['registered_name', 'Custom>Dense'],
  ['build_config', { input_shape: [null, 8, 8, 2] }],
  ['trainable', false],
  ['weights', []],
];

/** Adds a field next to a layer's class and configuration. */
const addLayerField: Mutator = (dice, model) => {
  const node = randomLeaf(dice, model);
  const [key, value] = dice.pick(layerFields);
  Object.assign(node, { [key]: clone(value) });
  return { ...aboutOf(node), key: `(layer) ${key}`, value, neutral: false };
};

const callArguments: readonly (readonly [string, unknown])[] = [
  ['training', true],
  ['training', false],
  ['training', 0],
  ['training', 1],
  ['training', null],
  ['mask', null],
  ['mask', [true]],
  ['colour', 1],
  ['noise', null],
  ['initial_state', null],
];

/** Layers for which `training` is a default that may be written out in a call. */
const takesTraining = ({ class_name: name }: LayerNode) => /Norm|Dropout|RNN|LSTM|GRU|Sequential/.test(name);

/** Changes an argument of a call in a functional model. */
const changeCall: Mutator = (dice, model) => {
  const called = layersOf(model).filter(({ inbound_nodes: nodes }) => nodes !== undefined && nodes.length > 0);
  if (called.length === 0) return undefined;
  const choosy = called.filter(takesTraining);
  const node = dice.pick(choosy.length > 0 && dice.chance(0.6) ? choosy : called);
  const [key, value] = dice.pick(callArguments);
  const call = dice.pick(node.inbound_nodes as unknown[][][])[0]!;
  call[3] = { ...(call[3] as Config), [key]: value };
  const neutral = key === 'training' && value === null && takesTraining(node);
  return { ...aboutOf(node), key: `(call) ${key}`, value, neutral };
};

/** Shortens a call to the form of older files, without arguments. */
const shortenCall: Mutator = (dice, model) => {
  const called = layersOf(model).filter(({ inbound_nodes: nodes }) => nodes !== undefined && nodes.length > 0);
  if (called.length === 0) return undefined;
  const node = dice.pick(called);
  for (const call of (node.inbound_nodes as unknown[][][]).flat()) call.length = 3;
  return { ...aboutOf(node), key: '(call) no kwargs', neutral: true };
};

const modelFields: readonly (readonly [string, unknown, boolean])[] = [
  ['keras_version', '2.4.0', true],
  ['keras_version', '2.15.0', true],
  ['keras_version', '3.0.0', false],
  ['keras_version', undefined, true],
  ['backend', undefined, true],
  ['backend', 'jax', false],
  ['colour', 1, false],
  ['compile_config', null, false],
];

const changeModelField: Mutator = (dice, model) => {
  const [key, value, neutral] = dice.pick(modelFields);
  model[key] = value;
  return { layer: model.config.name, className: model.class_name, key: `(model) ${key}`, value, neutral };
};

/** Changes a key in the configuration of a model. */
const changeModelConfig: Mutator = (dice, model) => {
  const node = dice.pick(layersOf(model).filter((layer) => !isLeaf(layer)));
  const [key, value, neutral] = dice.pick([
    ['trainable', true, true],
    ['trainable', false, false],
    ['build_input_shape', [null, 8, 8, 2], false],
    ['dtype', 'float32', false],
    ['dtype', 'mixed_float16', false],
    ['colour', 1, false],
  ] as const);
  node.config[key] = clone(value);
  return {
    ...aboutOf(node),
    key: `(model config) ${key}`,
    value,
    neutral: neutral && node.class_name !== 'Sequential',
  };
};

/** Changes a class name to one that differs in case, or to another class with the same keys. */
const changeClass: Mutator = (dice, model) => {
  const node = randomLeaf(dice, model);
  const similar: Record<string, readonly string[]> = {
    Conv2D: ['Convolution2D', 'conv2d', 'SeparableConv2D', 'Conv2DTranspose', 'LocallyConnected2D', 'Conv3D'],
    MaxPooling2D: ['AveragePooling2D', 'MaxPool2D', 'MaxPooling1D'],
    Dropout: ['GaussianDropout', 'AlphaDropout', 'SpatialDropout1D', 'SpatialDropout2D'],
    BatchNormalization: ['LayerNormalization', 'BatchNormalizationV1', 'SyncBatchNormalization', 'GroupNormalization'],
    Add: ['Subtract', 'Multiply', 'Dot', 'Concatenate'],
    GlobalMaxPooling2D: ['GlobalAveragePooling2D', 'GlobalMaxPooling1D', 'GlobalMaxPool2D'],
    ReLU: ['LeakyReLU', 'ThresholdedReLU', 'PReLU', 'ELU', 'Softmax'],
    Cropping2D: ['Cropping2d', 'ZeroPadding2D'],
  };
  const value = dice.pick(
    similar[node.class_name] ?? ['Layer', 'Identity', 'Lambda', 'Custom', node.class_name.toLowerCase()],
  );
  const about = aboutOf(node);
  node.class_name = value;
  return { ...about, key: '(class)', value, neutral: false };
};

/** Lets a layer's call take another layer's output, or adds a second call that nothing reads. */
const addCall: Mutator = (dice, model) => {
  const called = layersOf(model).filter(({ inbound_nodes: nodes }) => nodes?.length === 1);
  if (called.length === 0) return undefined;
  const node = dice.pick(called);
  node.inbound_nodes!.push(clone(node.inbound_nodes![0]));
  return { ...aboutOf(node), key: '(call) second, unread', neutral: false };
};

const mutators = { writeDefault, writeAllDefaults, removeKey, changeValue, addForeignKey, addNonsense, addLayerField, changeCall, shortenCall, changeModelField, changeModelConfig, changeClass, addCall }; // prettier-ignore
const weights: Record<Kind, number> = { writeDefault: 6, writeAllDefaults: 2, removeKey: 4, changeValue: 10, addForeignKey: 4, addNonsense: 2, addLayerField: 1, changeCall: 4, shortenCall: 1, changeModelField: 1, changeModelConfig: 1, changeClass: 2, addCall: 1 }; // prettier-ignore
const lots = Object.entries(weights).flatMap(([kind, count]) => Array<Kind>(count).fill(kind as Kind)); // prettier-ignore

/** Changes `model` at random, once. */
export function mutate(dice: Dice, model: Topology, complete: ReadonlyMap<string, Config>): Mutation {
  for (;;) {
    const kind = dice.pick(lots);
    const change = mutators[kind](dice, model, complete);
    if (change) return { kind, ...change };
  }
}

/** The whole model as tf_keras writes it. */
export function everyDefault({ class_name: className, config }: Topology): Mutation {
  return { kind: 'writeEverything', layer: config.name, className, key: '(all)', neutral: true };
}

export function describeMutation({ kind, layer, className, key, value }: Mutation): string {
  return `${kind} ${className} "${layer}" ${key} = ${JSON.stringify(value) ?? 'none'}`;
}

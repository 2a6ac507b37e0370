import { dataFormat, padding } from './convolution-rules.js';
import type { Fault } from './fault.js';
import { isObject, type Json, sameJson } from './json.js';
import { layer, type LayerRules, weightKeys } from './layer-rules.js';
import {
  anything,
  count,
  flag,
  number,
  oneOf,
  ones,
  only,
  orNull,
  required,
  rule,
  type Rules,
  sizes,
} from './rules.js';
import { activation, activationOrNull, initializer } from './value-rules.js';
import { layerIn } from './walk.js';

/** Recurrent layers, their cells, wrappers, and models as layers. */

const cell: Rules = {
  units: { ...count, required: true },
  activation: activationOrNull,
  use_bias: flag,
  ...weightKeys({
    kernel: initializer('GlorotNormal'),
    recurrent: initializer('Orthogonal'),
    bias: initializer('Zeros'),
  }),
  dropout: number(0, 1),
  recurrent_dropout: number(0, 1),
};
/** Both implementations compute the same; TF.js always uses the second. */
const implementation = rule('neutral', '1 or 2', (value) => value === 1 || value === 2 || value === null);
const recurrentActivation = { ...activationOrNull, absent: 'sigmoid' };

const cells = {
  // TF.js replaces null by its default, tanh.
  SimpleRNNCell: { ...cell, activation },
  GRUCell: {
    ...cell,
    recurrent_activation: recurrentActivation,
    implementation,
    // Required, as Keras's default is true.
    reset_after: required(only(false, 'set it to false; true selects a different function')),
  },
  LSTMCell: {
    ...cell,
    recurrent_activation: recurrentActivation,
    implementation,
    unit_forget_bias: { ...orNull(flag), absent: true },
  },
} satisfies Record<string, Rules>;

const convolutionalCell: Rules = {
  filters: { ...count, required: true },
  kernel_size: { ...sizes(2), required: true },
  strides: sizes(2),
  padding,
  data_format: dataFormat,
  dilation_rate: ones('set it to 1'),
  ...Object.fromEntries(Object.entries(cells.LSTMCell).filter(([key]) => key !== 'units')),
  recurrent_activation: activationOrNull,
};

const sequence: Rules = {
  return_sequences: flag,
  return_state: flag,
  go_backwards: flag,
  stateful: only(false, 'set it to false: shards of a step have no order'),
  unroll: rule('neutral', 'true or false', (value) => typeof value === 'boolean'),
  time_major: only(false, 'set it to false'),
  zero_output_for_mask: only(false, 'set it to false'),
};

function holding(classes: readonly string[], several: boolean) {
  const isOne = (value: unknown) => classes.includes(layerIn(value)?.className ?? '');
  const accepts = several ? `a list of ${classes.join(', ')}` : `one of ${classes.join(', ')}`;
  const test = (value: unknown) => (several ? Array.isArray(value) && value.every(isOne) : isOne(value));
  return required(rule('read', accepts, test));
}

const cellNames = Object.keys(cells);
const repeated: Rules = Object.fromEntries(
  [...Object.keys({ ...cells.LSTMCell, ...cells.GRUCell }), 'cells'].map((key) => [
    key,
    { ...anything, accepts: 'the value in cell' },
  ]),
);

export const recurrentRules: Readonly<Record<string, LayerRules>> = {
  SimpleRNNCell: layer(cells.SimpleRNNCell),
  GRUCell: layer(cells.GRUCell),
  LSTMCell: layer(cells.LSTMCell),
  StackedRNNCells: layer({ cells: holding(cellNames, true) }),
  SimpleRNN: layer({ ...cells.SimpleRNNCell, ...sequence }),
  GRU: layer({ ...cells.GRUCell, ...sequence }),
  LSTM: layer({ ...cells.LSTMCell, ...sequence }),
  ConvLSTM2D: layer({ ...convolutionalCell, ...sequence }),
  RNN: layer(
    { ...repeated, cell: holding([...cellNames, 'StackedRNNCells'], false), ...sequence },
    (config) => repeatedFault(config) ?? stackedStateFault(config),
  ),
};

/** Fault of a cell's setting repeated next to the cell with a different value; TF.js reads only the cell's. */
function repeatedFault(config: Json): Fault | undefined {
  const own = layerIn(config['cell'])?.config ?? {};
  const other = Object.keys(repeated).find((key) => config[key] !== undefined && !sameJson(config[key], own[key]));
  if (other === undefined) return undefined;
  return { key: other, expected: 'as in cell', value: config[other], remedy: 'remove it' };
}

/** Fault of stacked cells that return their states: TF.js's order is the reverse of Keras's. */
function stackedStateFault(config: Json): Fault | undefined {
  const { cell: held, return_state: value } = config;
  if (layerIn(held)?.className !== 'StackedRNNCells' || value !== true) return undefined;
  return { key: 'return_state', expected: 'false for stacked cells', value, remedy: 'set it to false' };
}

const anyLayer = required(rule('read', 'a layer', (value) => layerIn(value) !== undefined));

export const wrapperRules: Readonly<Record<string, LayerRules>> = {
  TimeDistributed: layer({ layer: anyLayer }),
  Bidirectional: layer({
    layer: holding(['SimpleRNN', 'GRU', 'LSTM', 'RNN'], false),
    merge_mode: oneOf('concat', 'sum', 'ave', 'mul'),
    backward_layer: only(null, 'remove it; both directions have the settings of layer'),
  }),
};

const layers = required(
  rule('read', 'a list of layers', (value) => Array.isArray(value) && value.length > 0 && value.every(isLayer)),
);

function isLayer(value: unknown): boolean {
  return isObject(value) && layerIn(value) !== undefined;
}

/** A model's inputs or outputs; the references are checked with the calls. */
const ends = required(rule('read', 'a list of [layer, call, output]', Array.isArray));
const functional = layer({ layers, input_layers: ends, output_layers: ends });

export const modelRules: Readonly<Record<string, LayerRules>> = {
  Sequential: layer({ layers, build_input_shape: anything }),
  Functional: functional,
  Model: functional,
};

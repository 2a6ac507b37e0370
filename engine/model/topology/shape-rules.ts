import { channelsLast, dataFormat, padding } from './convolution-rules.js';
import { layer, type LayerRules } from './layer-rules.js';
import { count, isCount, isList, only, oneOf, orNull, rule, type Rules, sizes } from './rules.js';

/** Pooling, shape and merging layers. */

function pool(rank: number): Rules {
  const format = rank === 1 ? channelsLast : dataFormat;
  return { pool_size: sizes(rank), strides: orNull(sizes(rank)), padding, data_format: format };
}

const keepdims = only(false, 'set it to false, and put a Reshape after it');
const globalPool1d = layer({ data_format: channelsLast, keepdims });
const globalPool2d = layer({ data_format: dataFormat, keepdims });

export const poolingRules: Readonly<Record<string, LayerRules>> = {
  MaxPooling2D: layer(pool(2)),
  AveragePooling2D: layer(pool(2)),
  MaxPooling1D: layer(pool(1)),
  AveragePooling1D: layer(pool(1)),
  GlobalAveragePooling2D: globalPool2d,
  GlobalMaxPooling2D: globalPool2d,
  GlobalAveragePooling1D: globalPool1d,
  GlobalMaxPooling1D: globalPool1d,
};

const isSize = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const isPair = (value: unknown) => isList(value, isSize, 2);
const margins = rule(
  'read',
  'an integer, a list of two, or two lists of two',
  (value) => isSize(value) || isPair(value) || isList(value, isPair, 2),
);
const targetShape = rule(
  'read',
  'a list of positive integers, of which one may be -1',
  (value) => isList(value, (size) => isCount(size) || size === -1 || size === null) || sameEmpty(value),
);

function sameEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

const dims = rule('read', 'a list of positive integers', (value) => isList(value, isCount));

export const shapeRules: Readonly<Record<string, LayerRules>> = {
  Flatten: layer({ data_format: orNull(dataFormat) }),
  Reshape: layer({ target_shape: { ...targetShape, required: true } }),
  Permute: layer({ dims: { ...dims, required: true } }),
  RepeatVector: layer({ n: { ...count, required: true } }),
  ZeroPadding2D: layer({ padding: margins, data_format: dataFormat }),
  Cropping2D: layer({ cropping: { ...margins, required: true }, data_format: dataFormat }),
  UpSampling2D: layer({ size: sizes2(), data_format: dataFormat, interpolation: oneOf('nearest') }),
};

/** A list of two sizes: TF.js doesn't accept a single number here. */
function sizes2() {
  return rule('read', 'a list of two positive integers', (value) => isList(value, isCount, 2));
}

/** TF.js treats every negative axis as the last one. */
const axis = rule(
  'read',
  '-1 or a positive integer',
  (value) => value === -1 || isCount(value),
  'count from the front',
);
const isAxis = (value: unknown) => Number.isInteger(value) && value !== 0;
/** In lists, TF.js doesn't support negative axes. */
const axes = rule('read', 'an axis, or two positive ones', (value) => isAxis(value) || isList(value, isCount, 2));
const merge = layer({});

export const mergingRules: Readonly<Record<string, LayerRules>> = {
  Add: merge,
  Multiply: merge,
  Average: merge,
  Maximum: merge,
  Minimum: merge,
  Concatenate: layer({ axis }),
  Dot: layer({ axes: { ...axes, required: true }, normalize: only(false, 'set it to false') }),
};

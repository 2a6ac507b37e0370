import { addition } from './add.js';
import { avgPool, avgPoolGrad } from './average-pool.js';
import { conv, convInput } from './conv.js';
import { convFilter } from './conv-filter.js';
import { depthwise, depthwiseFilter, depthwiseInput } from './depthwise.js';
import { binaryRules, cast, elementwise, mul, unaryRules } from './elementwise.js';
import type { Rules } from './lowering.js';
import { matmul } from './matmul.js';
import { maxPool, maxPoolGrad } from './pool.js';
import { argRules, reduceRules, softmax } from './reduce.js';
import {
  broadcast,
  concat,
  constant,
  gather,
  input,
  pad,
  param,
  reshape,
  reverse,
  slice,
  tile,
  transpose,
} from './shape.js';
import { spread } from './spread.js';

/** Rules with standard ONNX operators only. im2col replaces some of them. */
export const portable: Rules = {
  ...unaryRules,
  ...binaryRules,
  ...reduceRules,
  ...argRules,
  add: addition,
  avgPool,
  avgPoolGrad,
  broadcast,
  cast,
  concat,
  constant,
  conv,
  convFilter,
  convInput,
  depthwise,
  depthwiseFilter,
  depthwiseInput,
  gather,
  input,
  leakyRelu: (lowering, node) => elementwise(lowering, node, 'LeakyRelu', { alpha: { float: node.attrs.alpha } }),
  matmul,
  mul,
  maxPool,
  maxPoolGrad,
  pad,
  param,
  reshape,
  reverse,
  select: (lowering, node) => elementwise(lowering, node, 'Where'),
  slice,
  softmax,
  spread,
  tile,
  transpose,
};

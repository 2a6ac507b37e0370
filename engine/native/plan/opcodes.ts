// Numbers of kernels/plan.h, which defines them; a test compares both files.

export { arithmeticVersion } from '../../arithmetic.js';

export const planMagic = 0x4c53504c;

/** Memory of a program. `arena` and `scratch` are its own; the others belong to the caller. */
export const spaces = [
  'arena',
  'scratch',
  'constants',
  'params',
  'state',
  'images',
  'labels',
  'masks',
  'outA',
  'outB',
  'outC',
] as const;
export type Space = (typeof spaces)[number];

export const op = {
  fill: 1,
  move: 2,
  gather: 3,
  elementwise: 4,
  sumItems: 5,
  moments: 6,
  spread: 7,
  conv: 8,
  convFilter: 9,
  depthwise: 10,
  depthwiseFilter: 11,
  pack: 12,
  unpack: 13,
  product: 14,
  maxPool: 15,
  maxPoolGrad: 16,
  avgPool: 17,
  avgPoolGrad: 18,
  reduce: 19,
  arg: 20,
  reduceItems: 21,
} as const;

export const reduceKind = { sum: 0, max: 1, min: 2, prod: 3, isum: 4, imax: 5, imin: 6, iprod: 7 } as const;
export const packMode = { forward: 0, narrow: 1, turned: 2, depthwise: 3, depthwiseTurned: 4 } as const;
export const operandKind = { stream: 0, vector: 1, scalar: 2, bytes: 3 } as const;
export const sinkKind = { store: 0, sum4: 1 } as const;
/** Sizes of one elementwise operation. */
export const elementwiseLimits = { operands: 32, registers: 24, instructions: 96, sinks: 16 } as const;

const instructionNames = [
  ...['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'floorDiv', 'mod', 'pow'],
  ...['equal', 'notEqual', 'greater', 'greaterEqual', 'less', 'lessEqual'],
  ...['abs', 'ceil', 'floor', 'round', 'neg', 'reciprocal', 'sqrt', 'rsqrt', 'sign', 'side', 'step', 'relu'],
  ...['exp', 'log', 'tanh', 'sigmoid', 'erf', 'softplus', 'elu', 'sin', 'cos', 'leakyRelu', 'select'],
  ...['toFloat', 'toInt', 'toBool', 'iToBool'],
  ...['iAdd', 'iSub', 'iMul', 'iDiv', 'iMaximum', 'iMinimum', 'iFloorDiv', 'iMod'],
  ...['iPow', 'iEqual', 'iNotEqual', 'iGreater', 'iGreaterEqual', 'iLess', 'iLessEqual'],
  ...['iAbs', 'iNeg', 'iSign', 'iStep', 'iRelu', 'and', 'or', 'not', 'copy'],
] as const;
export type Instruction = (typeof instructionNames)[number];

/** Code of each instruction of the elementwise operation: 1, 2, 3 … in the order of plan.h. */
export const instruction = Object.fromEntries(instructionNames.map((name, i) => [name, i + 1])) as Record<
  Instruction,
  number
>;

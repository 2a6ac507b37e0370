import type { BinaryOp, DType, Node, NodeOf, Op, UnaryOp } from '../../ir/node.js';
import * as functions from './functions.js';
import { broadcastPlaces, newValues, type Values } from './tensor.js';

/** A function of one or two elements. Its result is rounded once more, to the type of the node. */
type Elementwise = (a: number, b: number) => number;
type Table = Partial<Record<UnaryOp | BinaryOp, Elementwise>>;

const f32 = Math.fround;

/** The same for f32 and integers. */
const comparisons = {
  equal: (a, b) => Number(a === b),
  greater: (a, b) => Number(a > b),
  greaterEqual: (a, b) => Number(a >= b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  maximum: (a, b) => (a > b || Number.isNaN(a) ? a : b),
  minimum: (a, b) => (a < b || Number.isNaN(a) ? a : b),
  notEqual: (a, b) => Number(a !== b),
  relu: (x) => (x <= 0 ? 0 : x),
  step: (x) => Number(x > 0),
} satisfies Table;

/** Functions of f32 numbers. Sums, products, quotients and roots in double precision, rounded to f32, are those of f32. */
export const floats: Table = {
  ...comparisons,
  ...functions,
  abs: Math.abs,
  add: (a, b) => a + b,
  ceil: Math.ceil,
  div: (a, b) => a / b,
  floor: Math.floor,
  floorDiv: (a, b) => Math.floor(f32(a / b)),
  mod: (a, b) => a - f32(b * Math.floor(f32(a / b))),
  mul: (a, b) => a * b,
  neg: (x) => -x,
  reciprocal: (x) => 1 / x,
  round: halfToEven,
  rsqrt: (x) => 1 / f32(Math.sqrt(x)),
  side: (x) => (x < 0 ? -1 : 1),
  sign: (x) => (x === 0 ? 0 : Math.sign(x)),
  sqrt: Math.sqrt,
  sub: (a, b) => a - b,
};

/** Functions of integers, which wrap, and of booleans, which are the integers 0 and 1. */
export const integers: Table = {
  ...comparisons,
  abs: (x) => Math.abs(x) | 0,
  add: (a, b) => (a + b) | 0,
  ceil: (x) => x,
  div: integerQuotient,
  floor: (x) => x,
  floorDiv: (a, b) => toInt(Math.floor(f32(f32(a) / f32(b)))),
  logicalAnd: (a, b) => Number(a !== 0 && b !== 0),
  logicalNot: (x) => Number(x === 0),
  logicalOr: (a, b) => Number(a !== 0 || b !== 0),
  mod: integerRemainder,
  mul: Math.imul,
  neg: (x) => -x | 0,
  pow: integerPower,
  round: (x) => x,
  sign: Math.sign,
  sub: (a, b) => (a - b) | 0,
};

/** To the nearest integer, of two the even one; the sign of zero is that of x. Doubles from 2^52 on are integers. */
function halfToEven(x: number): number {
  const rounded = Math.abs(x) < 2 ** 52 ? Math.abs(x) + 2 ** 52 - 2 ** 52 : Math.abs(x);
  return x < 0 || Object.is(x, -0) ? -rounded : rounded;
}

/** Towards zero; 0 for a divisor of 0. */
function integerQuotient(a: number, b: number): number {
  return b === 0 ? 0 : (a / b) | 0;
}

/** With the sign of b; 0 for a divisor of 0. */
function integerRemainder(a: number, b: number): number {
  if (b === 0) return 0;
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** Wrapping. A negative exponent gives 1 / x^|y| towards zero, and 0 for x = 0. */
function integerPower(x: number, y: number): number {
  if (y < 0) return x === 1 || x === -1 ? integerPower(x, y & 1) : 0;
  let power = 1;
  for (let square = x, rest = y; rest > 0; square = Math.imul(square, square), rest >>= 1)
    if ((rest & 1) === 1) power = Math.imul(power, square);
  return power;
}

/** Towards zero, to the nearest end of the range of int32; 0 for a NaN. */
function toInt(x: number): number {
  if (Number.isNaN(x)) return 0;
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x)));
}

export function cast(node: NodeOf<'cast'>, x: Values): Values {
  const to: Record<DType, (value: number) => number> = {
    float32: (value) => value,
    int32: toInt,
    bool: (value) => Number(value !== 0),
  };
  return newValues(node.dtype, node.size).map((_, i) => to[node.dtype](x[i]!));
}

/** An elementwise operation on operands that broadcast to its shape. */
export function elementwise(node: NodeOf<Op>, operands: readonly Values[]): Values {
  const inputs = node.inputs as readonly Node[];
  const places = inputs.map((input) => broadcastPlaces(input, node.shape));
  const of = functionOf(node as Node, inputs[0]!.dtype);
  return newValues(node.dtype, node.size).map((_, i) => of(...operands.map((x, j) => x[places[j]![i]!]!)));
}

function functionOf(node: Node, dtype: DType): (...operands: number[]) => number {
  if (node.op === 'select') return (condition, yes, no) => (condition !== 0 ? yes : no);
  if (node.op === 'leakyRelu') return (x) => (x > 0 ? x : x * f32(node.attrs.alpha));
  const found = (dtype === 'float32' ? floats : integers)[node.op as UnaryOp];
  if (found) return found;
  throw new Error(`reference: expected ${node.op} of float32, got ${dtype}; convert the tensor to float32 before`);
}

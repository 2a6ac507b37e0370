import { type Graph, splatOf } from './graph.js';
import type { ArithmeticOp, BinaryOp, DType, LogicOp, Node, UnaryOp } from './node.js';
import { multiply } from './product.js';
import { broadcast, dropLeadingOnes, unbroadcast } from './shape-ops.js';
import { broadcastShape, sizeOf } from './shape.js';

/** Functions folded on constants: those that JavaScript defines exactly and that occur. */
const foldUnary: Partial<Record<UnaryOp, (x: number) => number>> = {
  abs: Math.abs,
  neg: (x) => -x,
  reciprocal: (x) => 1 / x,
  relu: (x) => Math.max(x, 0),
  rsqrt: (x) => 1 / Math.sqrt(x),
  side: (x) => (x < 0 ? -1 : 1),
  sqrt: Math.sqrt,
  step: (x) => Number(x > 0),
};
const foldBinary: Partial<Record<BinaryOp, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  maximum: Math.max,
  minimum: Math.min,
};
const logicOps: ReadonlySet<string> = new Set<LogicOp>([
  'equal',
  'greater',
  'greaterEqual',
  'less',
  'lessEqual',
  'logicalAnd',
  'logicalOr',
  'notEqual',
]);
const commutative: ReadonlySet<string> = new Set<BinaryOp>(['add', 'maximum', 'minimum', 'equal']);

/** Elementwise function, computed before a broadcast rather than after it. */
export function unary(graph: Graph, op: UnaryOp, x: Node): Node {
  const [fold, splat] = [foldUnary[op], splatOf(x)];
  if (fold && splat !== undefined && x.dtype === 'float32') return graph.splat(Math.fround(fold(splat)), x.shape);
  if (x.op === 'broadcast') return broadcast(graph, unary(graph, op, x.inputs[0]), x.shape);
  return graph.make(op, [x], {}, x.shape, x.dtype);
}

export function leakyRelu(graph: Graph, x: Node, alpha: number): Node {
  return graph.make('leakyRelu', [x], { alpha }, x.shape, x.dtype);
}

export function negate(graph: Graph, x: Node): Node {
  return x.dtype === 'float32' ? binary(graph, 'mul', x, graph.splat(-1, [])) : unary(graph, 'neg', x);
}

export const add = (graph: Graph, a: Node, b: Node) => binary(graph, 'add', a, b);
export const subtract = (graph: Graph, a: Node, b: Node) => binary(graph, 'sub', a, b);
export const times = (graph: Graph, a: Node, b: Node) => binary(graph, 'mul', a, b);

/** Elementwise function of two tensors that broadcast against each other; computed on the operands before broadcasting. */
export function binary(graph: Graph, op: BinaryOp, a: Node, b: Node): Node {
  if (a.dtype !== b.dtype) throw new Error(`${op}: expected equal types, got ${a.dtype} and ${b.dtype}`);
  const shape = broadcastShape(a.shape, b.shape);
  const [x, y] = [unbroadcast(graph, a), unbroadcast(graph, b)];
  const dtype = logicOps.has(op) ? 'bool' : a.dtype;
  const result =
    (dtype === 'float32' ? simplify(graph, op as ArithmeticOp, x, y) : undefined) ?? make(graph, op, x, y, dtype);
  return broadcast(graph, result, shape);
}

function make(graph: Graph, op: BinaryOp, a: Node, b: Node, dtype: DType): Node {
  if (op === 'mul') return multiply(graph, a, b);
  const size = sizeOf(broadcastShape(a.shape, b.shape));
  const [x, y] = [a, b].map((node) => (node.size < size ? dropLeadingOnes(graph, node) : node)) as [Node, Node];
  const swap = commutative.has(op) && x.id > y.id;
  return graph.make(op, swap ? [y, x] : [x, y], {}, broadcastShape(x.shape, y.shape), dtype);
}

/** Simplification for f32; undefined if none applies. */
function simplify(graph: Graph, op: ArithmeticOp, a: Node, b: Node): Node | undefined {
  const [x, y] = [splatOf(a), splatOf(b)];
  const fold = foldBinary[op];
  if (x !== undefined && y !== undefined && fold) return graph.splat(Math.fround(fold(x, y)), []);
  if (op === 'add' && x === 0) return b;
  if ((op === 'add' || op === 'sub') && y === 0) return a;
  if (op === 'sub' && x === 0) return negate(graph, b);
  if (op === 'div') return divide(graph, a, b);
  if (op === 'pow' && y !== undefined) return power(graph, a, y);
  return undefined;
}

/** Division by a smaller tensor becomes multiplication by its reciprocal. */
function divide(graph: Graph, a: Node, b: Node): Node | undefined {
  const divisor = splatOf(b);
  if (divisor !== undefined) return multiply(graph, a, graph.splat(Math.fround(1 / divisor), []));
  return b.size < a.size ? multiply(graph, a, unary(graph, 'reciprocal', b)) : undefined;
}

function power(graph: Graph, x: Node, exponent: number): Node | undefined {
  if (exponent === 1) return x;
  if (exponent === 2) return multiply(graph, x, x);
  if (exponent === 0.5) return unary(graph, 'sqrt', x);
  if (exponent === 1.5) return multiply(graph, x, unary(graph, 'sqrt', x));
  return undefined;
}

/** `condition ? whenTrue : whenFalse`, elementwise. */
export function select(graph: Graph, condition: Node, whenTrue: Node, whenFalse: Node): Node {
  const shape = broadcastShape(broadcastShape(condition.shape, whenTrue.shape), whenFalse.shape);
  return graph.make('select', [condition, whenTrue, whenFalse], {}, shape, whenTrue.dtype);
}

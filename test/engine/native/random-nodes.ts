import { binary, leakyRelu, select, unary } from '../../../engine/ir/elementwise.js';
import { matmul } from '../../../engine/ir/linear.js';
import type { BinaryOp, DType, Node, Op, UnaryOp } from '../../../engine/ir/node.js';
import { argExtreme, reduce } from '../../../engine/ir/reduce.js';
import { broadcast, cast, reshape, transpose } from '../../../engine/ir/shape-ops.js';
import { type Shape, sizeOf } from '../../../engine/ir/shape.js';
import type { Draft } from './random-programs.js';
import { windowBuilders } from './random-windows.js';

/** Adds one random operation, with its operands. */
export type Build = (draft: Draft) => Node;

const any = () => true;

function anyOf(draft: Draft, dtype: DType = 'float32'): Node {
  return draft.operand(() => draft.shape(), any, dtype);
}

/** A tensor of more than one axis with more than one element, which `reduce` leaves as a reduction. */
function reducible(draft: Draft, dtype: DType = 'float32'): Node {
  const isLong = (node: Node) => node.shape.some((d) => d > 1);
  return draft.operand(() => draft.random.of([[draft.random.int(2, 700)], [2, ...draft.shape()]]), isLong, dtype);
}

/** A tensor that broadcasts to x's shape, or the other way round. */
function partner(draft: Draft, x: Node): Node {
  const { random } = draft;
  const shape = x.shape.map((d) => (random.chance(0.25) ? 1 : d));
  const choices = [x.shape, x.shape, x.shape.slice(-1), [], shape.slice(random.int(0, shape.length)), shape];
  return draft.operand(
    () => random.of(choices),
    (node) => node.shape.join() === x.shape.join(),
    x.dtype,
  );
}

const floatUnary = [
  ...['abs', 'ceil', 'cos', 'elu', 'erf', 'exp', 'floor', 'log', 'neg', 'reciprocal', 'relu', 'round', 'rsqrt'],
  ...['side', 'sigmoid', 'sign', 'sin', 'softplus', 'sqrt', 'step', 'tanh'],
] as readonly UnaryOp[];
const integerUnary = ['abs', 'ceil', 'floor', 'neg', 'relu', 'round', 'sign', 'step'] as readonly UnaryOp[];
const arithmetic = ['add', 'div', 'floorDiv', 'maximum', 'minimum', 'mod', 'mul', 'pow', 'sub'] as readonly BinaryOp[];
const comparisons = ['equal', 'greater', 'greaterEqual', 'less', 'lessEqual', 'notEqual'] as readonly BinaryOp[];
const logic = ['logicalAnd', 'logicalOr'] as readonly BinaryOp[];
const reductions = ['max', 'min', 'prod', 'sum'] as const;

function unaryOf(op: UnaryOp, dtype: DType): Build {
  return (draft) => unary(draft.graph, op, anyOf(draft, dtype));
}

function binaryOf(op: BinaryOp, dtype: DType): Build {
  return (draft) => {
    const x = anyOf(draft, dtype);
    const operands = draft.random.shuffled([x, partner(draft, x)]) as [Node, Node];
    return binary(draft.graph, op, ...operands);
  };
}

function named<O extends Op>(ops: readonly O[], type: DType, build: (op: O) => Build): Record<string, Build> {
  return Object.fromEntries(ops.map((op) => [`${op} of ${type}`, build(op)]));
}

function someAxes({ random }: Draft, { shape }: Node): number[] {
  const axes = shape.map((_, axis) => axis);
  const some = axes.filter(() => random.chance(0.6));
  return some.some((axis) => shape[axis]! > 1) ? some : axes;
}

function reduction(op: (typeof reductions)[number], dtype: DType): Build {
  return (draft) => {
    const x = reducible(draft, dtype);
    return reduce(draft.graph, op, x, { axes: someAxes(draft, x), keepDims: draft.random.chance(0.3) });
  };
}

function extreme(op: 'argMax' | 'argMin', dtype: DType): Build {
  return (draft) => {
    const x = reducible(draft, dtype);
    return argExtreme(draft.graph, op, x, draft.random.int(0, x.shape.length - 1));
  };
}

/** Casts between all types. */
const casts: Build = (draft) => {
  const [from, to] = draft.random.of([
    ...(['int32', 'bool'] as const).map((type) => ['float32', type] as const),
    ...(['float32', 'bool'] as const).map((type) => ['int32', type] as const),
    ...(['float32', 'int32'] as const).map((type) => ['bool', type] as const),
  ]);
  return cast(draft.graph, anyOf(draft, from), to);
};

const movement: Record<string, Build> = {
  reshape: (draft) => {
    const x = anyOf(draft);
    const axis = draft.random.int(0, x.shape.length);
    const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis)];
    return reshape(draft.graph, x, draft.random.of([[sizeOf(before), ...after], [...before, sizeOf(after)], [x.size]]));
  },
  broadcast: (draft) => {
    const shape = draft.shape();
    const smaller = shape.map((d) => (draft.random.chance(0.5) ? 1 : d));
    return broadcast(draft.graph, draft.fresh(smaller), shape);
  },
  transpose: (draft) => {
    const x = anyOf(draft, draft.random.of(['float32', 'float32', 'int32']));
    return transpose(draft.graph, x, draft.random.shuffled(x.shape.map((_, axis) => axis)));
  },
  slice: (draft) => {
    const x = anyOf(draft);
    const begin = x.shape.map((d) => (draft.random.chance(0.5) ? 0 : draft.random.int(0, d - 1)));
    const size = x.shape.map((d, i) =>
      begin[i] === 0 && draft.random.chance(0.5) ? d : draft.random.int(1, d - begin[i]!),
    );
    return draft.graph.make('slice', [x], { begin }, size, x.dtype);
  },
  reverse: (draft) => {
    const x = reducible(draft);
    return draft.graph.make('reverse', [x], { axes: someAxes(draft, x) }, x.shape, x.dtype);
  },
  tile: (draft) => {
    const x = draft.operand(
      () => draft.shape(),
      ({ size }) => size < 3000,
    );
    const reps = x.shape.map(() => draft.random.int(1, 3));
    return draft.graph.make(
      'tile',
      [x],
      { reps },
      x.shape.map((d, i) => d * reps[i]!),
      x.dtype,
    );
  },
  pad: (draft) => {
    const x = anyOf(draft, draft.random.of(['float32', 'float32', 'int32']));
    const [before, after] = [x.shape.map(() => draft.random.int(0, 2)), x.shape.map(() => draft.random.int(0, 2))];
    const shape = x.shape.map((d, i) => d + before[i]! + after[i]!);
    return draft.graph.make('pad', [x], { before, after, value: draft.random.int(-1, 1) }, shape, x.dtype);
  },
  concat: (draft) => {
    const x = draft.operand(
      () => [draft.images(), ...draft.shape()].slice(0, 4),
      ({ shape }) => shape.length > 0,
    );
    const axis = draft.random.int(0, x.shape.length - 1);
    const of = (length: number): Shape => x.shape.map((d, i) => (i === axis ? length : d));
    const parts = [x, ...Array.from({ length: draft.random.int(1, 2) }, () => draft.fresh(of(draft.random.int(1, 5))))];
    const length = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
    return draft.graph.make('concat', draft.random.shuffled(parts), { axis }, of(length), x.dtype);
  },
  gather: (draft) => {
    const x = draft.operand(
      () => [draft.images(), ...draft.shape()].slice(0, 3),
      ({ shape, size }) => shape.length > 0 && size < 3000,
    );
    const axis = draft.random.int(0, x.shape.length - 1);
    const outside = draft.random.chance(0.2) ? 1 : 0;
    const data = Int32Array.from({ length: draft.random.int(2, 9) }, () =>
      draft.random.int(-outside, x.shape[axis]! - 1 + outside),
    );
    const indices = draft.graph.constant(data, [data.length], 'int32');
    const shape = [...x.shape.slice(0, axis), data.length, ...x.shape.slice(axis + 1)];
    return draft.graph.make('gather', [x, indices], { axis }, shape, x.dtype);
  },
};

const product: Build = (draft) => {
  const { graph, random } = draft;
  const [m, k, n] = [random.int(1, 20), random.of([1, 5, 16, 31, 32, 33, 64, 70]), random.of([1, 3, 16, 17, 40])];
  const [transposeA, transposeB] = [random.chance(0.5), random.chance(0.5)];
  const batch = random.of([[], [], [3], [2, 3]]);
  const [left, right] = [random.of([batch, []]), random.of([batch, batch.map(() => 1)])];
  const rows = (node: Node) => node.shape.length === 2 && !transposeA && node.shape[1]! <= 100 && node.shape[0]! <= 80;
  const a = draft.operand(() => [...left, ...(transposeA ? [k, m] : [m, k])], rows);
  const terms = a.shape.at(transposeA ? -2 : -1)!;
  const b = draft.fresh([...right, ...(transposeB ? [n, terms] : [terms, n])]);
  const bias = random.chance(0.4) ? draft.fresh([n]) : undefined;
  return matmul(graph, a, b, { transposeA, transposeB, bias });
};

/** Builders of every operation of the IR, by name. */
export const builders: Readonly<Record<string, Build>> = {
  ...named(floatUnary, 'float32', (op) => unaryOf(op, 'float32')),
  ...named(integerUnary, 'int32', (op) => unaryOf(op, 'int32')),
  ...named(['logicalNot'], 'bool', (op) => unaryOf(op, 'bool')),
  ...named(arithmetic, 'float32', (op) => binaryOf(op, 'float32')),
  ...named(arithmetic, 'int32', (op) => binaryOf(op, 'int32')),
  ...named(comparisons, 'float32', (op) => binaryOf(op, 'float32')),
  ...named(comparisons, 'int32', (op) => binaryOf(op, 'int32')),
  ...named(logic, 'bool', (op) => binaryOf(op, 'bool')),
  ...named(reductions, 'float32', (op) => reduction(op, 'float32')),
  ...named(reductions, 'int32', (op) => reduction(op, 'int32')),
  ...named(['argMax', 'argMin'], 'float32', (op) => extreme(op, 'float32')),
  ...named(['argMax', 'argMin'], 'int32', (op) => extreme(op, 'int32')),
  ...movement,
  ...windowBuilders,
  cast: casts,
  leakyRelu: (draft) => leakyRelu(draft.graph, anyOf(draft), draft.random.unit()),
  matmul: product,
  select: (draft) => {
    const x = anyOf(draft);
    const condition = draft.operand(
      () => x.shape,
      ({ shape }) => shape.join() === x.shape.join(),
      'bool',
    );
    return select(draft.graph, condition, x, partner(draft, x));
  },
  softmax: (draft) => {
    const x = reducible(draft);
    return draft.graph.make('softmax', [x], { axis: draft.random.int(0, x.shape.length - 1) }, x.shape, x.dtype);
  },
  spread: (draft) => {
    const x = draft.operand(
      () => [draft.images(), ...draft.shape().slice(0, 2), draft.channels()],
      ({ shape }) => shape.length > 1,
    );
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    return draft.graph.make('spread', [x], { axes }, x.shape.slice(-1), x.dtype);
  },
};

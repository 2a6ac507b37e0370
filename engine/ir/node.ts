import type { Shape } from './shape.js';

export type DType = 'float32' | 'int32' | 'bool';
/** Values of a constant; booleans are 0 and 1. */
export type ConstantData = Float32Array | Int32Array | Uint8Array;

/**
 * Elementwise functions of one tensor that keep its type. `step(x)` is 1 where x > 0, else 0; `side(x)` is −1 where
 * x < 0, else 1; `rsqrt` is 1/√x.
 */
export type UnaryOp =
  | 'abs'
  | 'ceil'
  | 'cos'
  | 'elu'
  | 'erf'
  | 'exp'
  | 'floor'
  | 'log'
  | 'logicalNot'
  | 'neg'
  | 'reciprocal'
  | 'relu'
  | 'round'
  | 'rsqrt'
  | 'side'
  | 'sigmoid'
  | 'sign'
  | 'sin'
  | 'softplus'
  | 'sqrt'
  | 'step'
  | 'tanh';
export type ArithmeticOp = 'add' | 'div' | 'floorDiv' | 'maximum' | 'minimum' | 'mod' | 'mul' | 'pow' | 'sub';
/** Functions with boolean results. */
export type LogicOp =
  'equal' | 'greater' | 'greaterEqual' | 'less' | 'lessEqual' | 'logicalAnd' | 'logicalOr' | 'notEqual';
export type BinaryOp = ArithmeticOp | LogicOp;
export type ReduceOp = 'max' | 'min' | 'prod' | 'sum';
export type ArgOp = 'argMax' | 'argMin';

type Plain = Readonly<Record<string, never>>;
/** Top, left, bottom, right. */
type Padding = readonly [number, number, number, number];
type Pair = readonly [number, number];
export interface ConvAttrs {
  readonly pads: Padding;
  readonly strides: Pair;
  readonly dilations: Pair;
}
export interface PoolAttrs {
  readonly window: Pair;
  readonly pads: Padding;
  readonly strides: Pair;
}
interface Axes {
  readonly axes: readonly number[];
}
interface Axis {
  readonly axis: number;
}
interface Signature<Inputs, Attrs> {
  readonly inputs: Inputs;
  readonly attrs: Attrs;
}
type One = readonly [Node];
type Two = readonly [Node, Node];
type Three = readonly [Node, Node, Node];

/** Inputs and attributes of every operation that is neither elementwise nor a reduction. */
interface OtherSignatures {
  /** Input of the program; `stored` is the type of its elements in the caller's array. */
  input: Signature<readonly [], { readonly name: string; readonly stored: 'uint8' | 'int32' | 'float32' }>;
  /** Weight: a range of one of the program's flat vectors. */
  param: Signature<readonly [], { readonly name: string }>;
  /** `splat` if all elements are equal, otherwise `data`. */
  constant: Signature<readonly [], { readonly splat: number } | { readonly data: ConstantData }>;
  reshape: Signature<One, Plain>;
  broadcast: Signature<One, Plain>;
  transpose: Signature<One, { readonly perm: readonly number[] }>;
  cast: Signature<One, Plain>;
  tile: Signature<One, { readonly reps: readonly number[] }>;
  slice: Signature<One, { readonly begin: readonly number[] }>;
  pad: Signature<
    One,
    { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number }
  >;
  reverse: Signature<One, Axes>;
  concat: Signature<readonly Node[], Axis>;
  /** `[x, indices]` */
  gather: Signature<Two, Axis>;
  leakyRelu: Signature<One, { readonly alpha: number }>;
  /** `[condition, where true, where false]` */
  select: Signature<Three, Plain>;
  softmax: Signature<One, Axis>;
  /**
   * Sum of (x − mean)² over all axes but the last, where mean is the channel's: N times a batch norm's variance, `[C]`.
   * The axes are all but the last.
   */
  spread: Signature<One, Axes>;
  matmul: Signature<Two, { readonly transposeA: boolean; readonly transposeB: boolean }>;
  /** `[x, filter]` */
  conv: Signature<Two, ConvAttrs>;
  /** `[x, dy]`: the gradient with respect to the filter. */
  convFilter: Signature<Two, ConvAttrs>;
  /** `[dy, filter]`: the gradient with respect to x. */
  convInput: Signature<Two, ConvAttrs>;
  /** Like `conv`, with filters `[kh, kw, c, multiplier]`. */
  depthwise: Signature<Two, ConvAttrs>;
  depthwiseFilter: Signature<Two, ConvAttrs>;
  depthwiseInput: Signature<Two, ConvAttrs>;
  maxPool: Signature<One, PoolAttrs>;
  avgPool: Signature<One, PoolAttrs>;
  /** `[dy, x, y]`; `maskedBy` is the id of a node z (the input of a ReLU): dy is 0 where z ≤ 0. */
  maxPoolGrad: Signature<Three, PoolAttrs & { readonly maskedBy?: number }>;
  /** `[dy]` */
  avgPoolGrad: Signature<One, PoolAttrs>;
}
export type Signatures = OtherSignatures &
  Record<UnaryOp, Signature<One, Plain>> &
  Record<BinaryOp, Signature<Two, Plain>> &
  Record<ReduceOp | ArgOp, Signature<One, Axes>>;

export type Op = keyof Signatures;

/** A value of a program. Immutable and unique: equal computations are one node. */
export interface NodeOf<O extends Op> {
  /** Index in order of creation; inputs have smaller ids. */
  readonly id: number;
  readonly op: O;
  readonly inputs: Signatures[O]['inputs'];
  readonly attrs: Signatures[O]['attrs'];
  readonly shape: Shape;
  readonly dtype: DType;
  readonly size: number;
}

/** Any node; `node.op` discriminates the types of inputs and attributes. */
export type Node = { [O in Op]: NodeOf<O> }[Op];

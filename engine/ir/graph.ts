import type { ConstantData, DType, Node, NodeOf, Op, Signatures } from './node.js';
import { type Shape, sizeOf } from './shape.js';

/**
 * Creates nodes, one per distinct computation (hash-consing), so that common subexpressions are shared and nodes can be
 * compared by identity.
 *
 * The functions in the other files of this folder simplify the nodes that they build.
 */
export class Graph {
  private readonly known = new Map<string, Node>();
  private count = 0;

  make<O extends Op>(
    op: O,
    inputs: Signatures[O]['inputs'],
    attrs: Signatures[O]['attrs'],
    shape: Shape,
    dtype: DType,
  ): NodeOf<O> {
    const key = keyOf(op, inputs, attrs, shape, dtype);
    const existing = this.known.get(key);
    if (existing) return existing as unknown as NodeOf<O>;
    const node = this.add<O>(op, inputs, attrs, shape, dtype);
    this.known.set(key, node as unknown as Node);
    return node;
  }

  /** True if `make` with these arguments would return an existing node. */
  has<O extends Op>(op: O, inputs: Signatures[O]['inputs'], attrs: Signatures[O]['attrs'], shape: Shape, dtype: DType) {
    return this.known.has(keyOf(op, inputs, attrs, shape, dtype));
  }

  input(name: string, shape: Shape, dtype: DType, stored: 'uint8' | 'int32' | 'float32'): Node {
    return this.make('input', [], { name, stored }, shape, dtype);
  }

  param(name: string, shape: Shape): Node {
    return this.make('param', [], { name }, shape, 'float32');
  }

  /** Tensor whose elements are all `value`. */
  splat(value: number, shape: Shape, dtype: DType = 'float32'): Node {
    return this.make('constant', [], { splat: value }, shape, dtype);
  }

  /** Constant tensor; stored as one number if all elements are equal. The array must not be modified afterwards. */
  constant(data: ConstantData, shape: Shape, dtype: DType): Node {
    const first = data[0];
    if (first !== undefined && isUniform(data)) return this.splat(first, shape, dtype);
    return this.add('constant', [], { data }, shape, dtype);
  }

  private add<O extends Op>(
    op: O,
    inputs: Signatures[O]['inputs'],
    attrs: Signatures[O]['attrs'],
    shape: Shape,
    dtype: DType,
  ): NodeOf<O> {
    return { id: this.count++, op, inputs, attrs, shape, dtype, size: sizeOf(shape) };
  }
}

function keyOf(op: Op, inputs: readonly Node[], attrs: object, shape: Shape, dtype: DType): string {
  return `${op}(${inputs.map((node) => node.id).join()})${attributeKey(attrs)}|${dtype}|${shape.join()}`;
}

/** Attributes as unambiguous text. JSON has no NaN and no infinity, and writes −0 as 0. */
function attributeKey(attrs: object): string {
  return Object.entries(attrs)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value.map(valueKey).join()}]` : valueKey(value)}`)
    .join();
}

function valueKey(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  return JSON.stringify(value);
}

/** True if all elements are the same. A loop, because TF.js creates tensors of ones as large as a layer's output. */
function isUniform(data: ConstantData): boolean {
  const first = data[0];
  for (let i = 1; i < data.length; i++) if (!Object.is(data[i], first)) return false;
  return true;
}

/** Value of a constant with equal elements, otherwise undefined. */
export function splatOf(node: Node): number | undefined {
  return node.op === 'constant' && 'splat' in node.attrs ? node.attrs.splat : undefined;
}

/** Elements of a constant, otherwise undefined. The array may be the node's own; don't modify it. */
export function constantData(node: Node): ConstantData | undefined {
  if (node.op !== 'constant') return undefined;
  if ('data' in node.attrs) return node.attrs.data;
  const type = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[node.dtype];
  return new type(node.size).fill(node.attrs.splat);
}

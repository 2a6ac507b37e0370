import { OnnxWriter } from '../emit/onnx-writer.js';
import type { Graph } from '../ir/graph.js';
import type { Node, NodeOf, Op } from '../ir/node.js';
import { postOrder } from '../ir/post-order.js';
import { sameShape, type Shape, toRank, withoutLeadingOnes } from '../ir/shape.js';
import { needsOf, type Needs } from './needs.js';
import { stagesOf } from './stages.js';
import { identity, isIdentity, keepsOrder, type Layout, permutation, physical } from './layout.js';

/** Lowers a node of one operation: calls `define` for the node, and for others if they are computed with it. */
export type Rule<O extends Op> = (lowering: Lowering, node: NodeOf<O>) => void;
/** Defines `result` (default: the convolution) as the convolution plus an optional bias per output channel. */
type ConvRule = (lowering: Lowering, node: NodeOf<'conv'>, result?: Node, bias?: Node) => void;
/** A rule for every operation; each target has such a table. */
export type Rules = { readonly [O in Op]: O extends 'conv' ? ConvRule : Rule<O> };

/** Tensors with a node's value. */
interface Value {
  /** Layout of the original value. */
  readonly layout: Layout;
  /** Names of tensors by layout. */
  readonly forms: Map<string, string>;
}

export interface LoweringOptions {
  readonly rules: Rules;
  /** Writes a weight. @returns the tensor's name. */
  readonly weight: (writer: OnnxWriter, node: NodeOf<'param'>) => string;
  /** Size of dimensions that reshapes keep variable, because they are the batch; default: none. */
  readonly openBatch?: number | undefined;
}

/** Lowers nodes to ONNX operators on demand, each once, and tracks their layouts. */
export class Lowering {
  readonly writer = new OnnxWriter();
  private readonly values = new Map<Node, Value>();
  private readonly uses: ReadonlyMap<Node, number>;
  private readonly memos = new Map<string, string>();

  /** @param outputs - output nodes of the program; nodes that they don't need are omitted. */
  constructor(
    readonly graph: Graph,
    readonly options: LoweringOptions,
    outputs: readonly Node[],
  ) {
    const needs = needsOf(graph);
    this.uses = countUses(outputs, needs);
    for (const node of stagesOf(outputs, this.uses, needs)) this.valueOf(node);
  }

  /** Name of the tensor with a node's value in a layout. */
  get(node: Node, layout: Layout = identity(node.shape.length)): string {
    const value = this.valueOf(node);
    const key = layout.join();
    const existing = value.forms.get(key);
    if (existing !== undefined) return existing;
    const name = this.convert(node, value, layout);
    value.forms.set(key, name);
    return name;
  }

  /** Layout of a node's original value. */
  layoutOf(node: Node): Layout {
    return this.valueOf(node).layout;
  }

  /** Registers the tensor `name` as a node's value. */
  define(node: Node, name: string, layout: Layout = identity(node.shape.length)): void {
    this.values.set(node, { layout, forms: new Map([[layout.join(), name]]) });
  }

  /** True if only one other node needs this one and it isn't computed yet, so it may be fused. */
  isFusible(node: Node): boolean {
    return this.uses.get(node) === 1 && !this.values.has(node);
  }

  /** The tensor `name` in another shape. */
  reshape(name: string, shape: Shape): string {
    const { openBatch } = this.options;
    const target = shape.map((dimension) => (dimension === openBatch ? -1 : dimension));
    return this.writer.op('Reshape', [name, this.writer.ints(target)]);
  }

  /** Tensor that is created once per key. */
  memo(key: string, make: () => string): string {
    const name = this.memos.get(key) ?? make();
    this.memos.set(key, name);
    return name;
  }

  /** Name of an operand of an elementwise operation whose result has `rank` dimensions in `layout`. */
  operand(node: Node, rank: number, layout: Layout): string {
    if (node.size === 1) return this.get(node);
    if (node.shape.length === rank) return this.get(node, layout);
    const full = toRank(node.shape, rank);
    const shape = physical(full, layout);
    if (!keepsOrder(full, layout))
      return this.memo(`${node.id}^${layout.join()}`, () => this.transposed(node, full, layout));
    const short = withoutLeadingOnes(shape);
    if (sameShape(short, node.shape)) return this.get(node);
    return this.memo(`${node.id}:${short.join()}`, () => this.reshape(this.get(node), short));
  }

  private transposed(node: Node, full: readonly number[], layout: Layout): string {
    return this.writer.op('Transpose', [this.reshape(this.get(node), full)], { perm: layout });
  }

  private valueOf(node: Node): Value {
    if (!this.values.has(node)) (this.options.rules[node.op] as Rule<Op>)(this, node);
    return this.values.get(node)!;
  }

  private convert(node: Node, value: Value, layout: Layout): string {
    const source = value.forms.get(value.layout.join())!;
    const perm = permutation(value.layout, layout);
    return keepsOrder(physical(node.shape, value.layout), perm)
      ? this.reshape(source, physical(node.shape, layout))
      : this.writer.op('Transpose', [source], { perm });
  }
}

/**
 * Layout for the result of an elementwise operation: that of a full-size operand, preferably not the plain one, so that a
 * chain of such operations between two convolutions needs no transposition.
 */
export function commonLayout(lowering: Lowering, node: Node, inputs: readonly Node[]): Layout {
  const rank = node.shape.length;
  const full = inputs.filter((x) => x.shape.length === rank && x.size === node.size && x.op !== 'constant');
  const layouts = full.map((x) => lowering.layoutOf(x));
  return layouts.find((layout) => !isIdentity(layout)) ?? identity(rank);
}

function countUses(outputs: readonly Node[], needs: Needs): Map<Node, number> {
  const uses = new Map<Node, number>();
  const count = (node: Node) => uses.set(node, (uses.get(node) ?? 0) + 1);
  outputs.forEach(count);
  for (const node of postOrder(outputs, needs)) needs(node).forEach(count);
  return uses;
}

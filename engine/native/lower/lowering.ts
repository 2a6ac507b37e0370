import { EngineError } from '../../errors.js';
import type { Graph } from '../../ir/graph.js';
import { splatOf } from '../../ir/graph.js';
import type { Node, NodeOf, Op } from '../../ir/node.js';
import { postOrder } from '../../ir/post-order.js';
import { op } from '../plan/opcodes.js';
import { type Access, type Arg, type Buffer, type Grid, type KernelOp, type PlanOp, single } from '../plan/plan-op.js';
import { Constants } from './constants.js';
import type { Inputs } from './inputs.js';
import { blockedShape } from './blocks.js';

/** Order of a value in memory: IR's row-major order, or `[N, C / 16, H, W, 16]`. */
export type Layout = 'plain' | 'blocked';
/** Emits the operations that compute a node. */
export type Rule<O extends Op> = (lowering: Lowering, node: NodeOf<O>) => void;
export type Rules = { readonly [O in Op]: Rule<O> } & { readonly layouts: Layouts };
/** Conversions of a node's value; they return the new buffer. */
interface Layouts {
  readonly toBlocked: (lowering: Lowering, node: Node) => Buffer;
  readonly toPlain: (lowering: Lowering, node: Node) => Buffer;
}

/** Grid over images, and how an operation on it reads and writes values of these images. */
export interface Images {
  readonly grid: Grid;
  readonly by: Access['by'];
  readonly strideOf: (buffer: Buffer) => Arg;
}

/** Lowers nodes to operations of a plan, in their order. Values are converted between layouts where needed, once each. */
export class Lowering {
  readonly ops: PlanOp[] = [];
  readonly constants = new Constants();
  private readonly values = new Map<Node, Map<Layout, Buffer>>();
  private readonly memos = new Map<string, Buffer>();
  private readonly uses: ReadonlyMap<Node, number>;
  private readonly spreadInputs: ReadonlySet<Node>;
  private bufferCount = 0;

  /** @param batch - first dimension of the tensors whose parts belong to single images. */
  constructor(
    readonly graph: Graph,
    readonly batch: number,
    private readonly inputs: Inputs,
    private readonly rules: Rules,
    roots: readonly Node[],
  ) {
    this.uses = countUses(roots);
    this.spreadInputs = new Set(postOrder(roots).flatMap((node) => (node.op === 'spread' ? node.inputs : [])));
    this.lower(roots);
  }

  /** Lowers nodes that are not lowered yet, with all that they need. */
  lower(roots: readonly Node[]): void {
    for (const node of postOrder(roots, (at) => (this.values.has(at) ? [] : at.inputs))) {
      if (this.values.has(node) || this.isDeferred(node)) continue;
      this.apply(node);
    }
  }

  /** Buffer with a node's value in a layout; converted if it has another one. */
  get(node: Node, layout: Layout = 'plain'): Buffer {
    const forms = this.formsOf(node);
    const existing = forms.get(layout);
    if (existing) return existing;
    const { toBlocked, toPlain } = this.rules.layouts;
    const made = (layout === 'blocked' ? toBlocked : toPlain)(this, node);
    forms.set(layout, made);
    return made;
  }

  /** True if the value exists in this layout without a conversion. */
  has(node: Node, layout: Layout): boolean {
    return this.formsOf(node).has(layout);
  }

  define(node: Node, buffer: Buffer, layout: Layout = 'plain'): void {
    this.values.set(node, new Map([[layout, buffer]]));
  }

  isDefined(node: Node): boolean {
    return this.values.has(node);
  }

  /** True if one node only needs this one. */
  isUsedOnce(node: Node): boolean {
    return this.uses.get(node) === 1;
  }

  /** True if `memo` has this key. */
  isKnown(key: string): boolean {
    return this.memos.has(key);
  }

  /** True if the program needs the spread of this node, whose first stage sums the node too. */
  hasSpread(node: Node): boolean {
    return this.spreadInputs.has(node);
  }

  /** Gives a node the value of another one that is equal to it. */
  alias(node: Node, equal: Node): void {
    this.lower([equal]);
    this.values.set(node, this.formsOf(equal));
  }

  /** Computes a value once per key. */
  memo(key: string, make: () => Buffer): Buffer {
    const buffer = this.memos.get(key) ?? make();
    this.memos.set(key, buffer);
    return buffer;
  }

  /** Grid of a node's elements: images if its first dimension is the batch. */
  gridOf(node: Node): Grid {
    return node.shape[0] === this.batch && this.batch > 1 ? this.images : single;
  }

  get images(): Grid {
    return this.batch > 1 ? { kind: 'image', items: this.batch } : single;
  }

  /** New buffer with `words` per item. */
  buffer(grid: Grid, words: number): Buffer {
    return { id: this.bufferCount++, words, items: grid.kind === 'image' ? grid.items : 1 };
  }

  fixed(space: NonNullable<Buffer['fixed']>['space'], byte: number, grid: Grid, words: number): Buffer {
    return { ...this.buffer(grid, words), fixed: { space, byte } };
  }

  /** Buffer of an input or a weight in the caller's memory. */
  external(node: NodeOf<'input'> | NodeOf<'param'>): Buffer {
    const grid = this.gridOf(node);
    const { space, byte } = this.inputs.placeOf(node);
    return this.fixed(space, byte, grid, node.size / grid.items);
  }

  /** Buffer for a node's plain value, one part per image if `grid` has them. */
  plainBuffer(node: Node, grid = this.gridOf(node)): Buffer {
    return this.buffer(grid, node.size / (grid.kind === 'image' ? grid.items : 1));
  }

  /** Buffer for a node's blocked value. */
  blockedBuffer(node: Node): Buffer {
    const grid = this.gridOf(node);
    const { words } = blockedShape(node.shape);
    return this.buffer(grid, grid.kind === 'image' ? words : words * node.shape[0]!);
  }

  emit(code: number, grid: Grid, args: readonly Arg[], reads: readonly Access[], writes: readonly Access[]): void {
    const kernel: KernelOp = { kind: 'kernel', code, grid, args, reads, writes };
    this.ops.push(kernel);
  }

  /** Grid of an operation on each of a 4-D node's images, which are the batch's or others. */
  imagesOf(node: Node): Images {
    const grid = this.gridOf(node);
    const images = node.shape[0]!;
    if (grid.kind === 'image' || images === 1) {
      return { grid, by: 'item', strideOf: (buffer) => ({ strideOf: buffer }) };
    }
    // Images inside of one item.
    return { grid: { kind: 'tasks', items: images }, by: 'whole', strideOf: ({ words }) => words / images };
  }

  /** Fills a buffer with one value. */
  fill(grid: Grid, buffer: Buffer, value: number, dtype: Node['dtype']): void {
    const word = this.constants.scalar(value, dtype);
    const args = [{ at: buffer }, { strideOf: buffer }, buffer.words, { at: word }];
    this.emit(op.fill, grid, args, [], [{ buffer, by: 'item' }]);
  }

  private formsOf(node: Node): Map<Layout, Buffer> {
    const forms = this.values.get(node);
    if (forms) return forms;
    this.force(node);
    return this.values.get(node)!;
  }

  /** Lowers a deferred node by itself. */
  private force(node: Node): void {
    if (splatOf(node) !== undefined && node.size > 1) {
      const [grid, buffer] = [this.gridOf(node), this.plainBuffer(node)];
      this.fill(grid, buffer, splatOf(node)!, node.dtype);
      this.define(node, buffer);
      return;
    }
    this.apply(node);
  }

  private apply(node: Node): void {
    checkType(node);
    (this.rules[node.op] as Rule<Op>)(this, node);
  }

  /** True for nodes that their users may take up: products with a bias, constants, u8 inputs and broadcasts. */
  private isDeferred(node: Node): boolean {
    if (node.op === 'constant' || node.op === 'broadcast' || node.op === 'input') return true;
    return (node.op === 'conv' || node.op === 'matmul') && this.isUsedOnce(node);
  }
}

/** Operations that arithmetic 1 has for f32 only; elementwise ones are checked with their instructions. */
const onlyFloats: ReadonlySet<Op> = new Set<Op>([
  ...(['avgPool', 'avgPoolGrad', 'conv', 'convFilter', 'convInput', 'depthwise', 'depthwiseFilter'] as const),
  ...(['depthwiseInput', 'leakyRelu', 'matmul', 'maxPool', 'maxPoolGrad', 'softmax', 'spread'] as const),
]);

function checkType(node: Node): void {
  const wrong = onlyFloats.has(node.op) && node.inputs.find(({ dtype }) => dtype !== 'float32');
  if (!wrong) return;
  throw new EngineError(
    'UNSUPPORTED_KERNEL',
    `compile: expected ${node.op} of float32, got ${wrong.dtype}; convert the tensor to float32 before`,
  );
}

function countUses(roots: readonly Node[]): ReadonlyMap<Node, number> {
  const uses = new Map<Node, number>();
  const count = (node: Node) => uses.set(node, (uses.get(node) ?? 0) + 1);
  roots.forEach(count);
  for (const node of postOrder(roots)) node.inputs.forEach(count);
  return uses;
}

import { type Graph, splatOf } from './graph.js';
import type { Node } from './node.js';
import { broadcast, dropLeadingOnes, unbroadcast } from './shape-ops.js';
import { broadcastShape, sizeOf } from './shape.js';

/**
 * Normal form of products: (one or two full-size factors) · (product of all smaller factors).
 *
 * Per-channel factors are multiplied with each other first, which is cheap, and later sums can factor them out
 * (`reduce.ts`). This makes TF.js's generic gradient of batch norm as cheap as a fused one.
 */

interface Factors {
  readonly full: Node;
  readonly small: Node | undefined;
}

/** Full-size factor and smaller factor of x, if it is a product in normal form. */
export function factorsOf(x: Node): Factors {
  if (x.op !== 'mul') return { full: x, small: undefined };
  const [full, small] = x.inputs;
  return full.size === x.size && small.size < x.size ? { full, small } : { full: x, small: undefined };
}

/** a · b in normal form; operands may broadcast against each other, but should be `unbroadcast`. */
export function multiply(graph: Graph, a: Node, b: Node): Node {
  const shape = broadcastShape(a.shape, b.shape);
  const [x, y] = [splatOf(a), splatOf(b)];
  if (x !== undefined && y !== undefined) return graph.splat(Math.fround(x * y), shape, a.dtype);
  if (x === 1) return b;
  if (y === 1) return a;
  // NaN · 0 becomes 0 here. NaN and infinity still reach the loss, which is never simplified.
  if (x === 0 || y === 0) return graph.splat(0, shape, a.dtype);
  if (a.dtype !== 'float32') return graph.make('mul', a.id < b.id ? [a, b] : [b, a], {}, shape, a.dtype);
  if (a === b && a.op === 'side') return graph.splat(1, shape);
  return alreadyMasked(a, b) ?? normalForm(graph, a, b, sizeOf(shape));
}

function normalForm(graph: Graph, a: Node, b: Node, size: number): Node {
  const full: Node[] = [];
  const small: Node[] = [];
  for (const x of [a, b]) {
    const factors = factorsOf(x);
    (factors.full.size === size ? full : small).push(factors.full);
    if (factors.small) small.push(factors.small);
  }
  const [first, second] = full;
  if (!first) return product(graph, a, b); // an outer product
  const rest = productOfSmall(graph, small);
  const big = second ? product(graph, first, second) : first;
  return rest ? product(graph, big, rest) : big;
}

function productOfSmall(graph: Graph, small: Node[]): Node | undefined {
  const ascending = small.sort((x, y) => x.size - y.size || x.id - y.id);
  return ascending.reduce<Node | undefined>((p, q) => (p ? unbroadcast(graph, multiply(graph, p, q)) : q), undefined);
}

/** One multiplication, larger operand first. */
function product(graph: Graph, a: Node, b: Node): Node {
  const shape = broadcastShape(a.shape, b.shape);
  if (splatOf(a) === 1) return broadcast(graph, b, shape);
  if (splatOf(b) === 1) return broadcast(graph, a, shape);
  const masked = alreadyMasked(a, b);
  if (masked) return masked;
  const size = sizeOf(shape);
  const [x, y] = [a, b].map((node) => (node.size < size ? dropLeadingOnes(graph, node) : node)) as [Node, Node];
  const swap = x.size < y.size || (x.size === y.size && x.id > y.id);
  return graph.make('mul', swap ? [y, x] : [x, y], {}, broadcastShape(x.shape, y.shape), a.dtype);
}

/** A max-pool gradient that is already masked by this `step` (the gradient of ReLU), which is then redundant. */
function alreadyMasked(a: Node, b: Node): Node | undefined {
  for (const [gradient, mask] of [
    [a, b],
    [b, a],
  ] as const) {
    if (gradient.op !== 'maxPoolGrad' || mask.op !== 'step') continue;
    const [x] = mask.inputs;
    if ((x.op === 'relu' ? x.inputs[0] : x).id === gradient.attrs.maskedBy) return gradient;
  }
  return undefined;
}

import { describe, expect, it } from 'vitest';
import { centreOnce } from '../../../engine/ir/centre.js';
import { add, binary, negate, subtract, times, unary } from '../../../engine/ir/elementwise.js';
import { Graph, splatOf } from '../../../engine/ir/graph.js';
import { matmul } from '../../../engine/ir/linear.js';
import { maxPool, maxPoolGrad } from '../../../engine/ir/pool.js';
import type { Node } from '../../../engine/ir/node.js';
import { mean, reduce } from '../../../engine/ir/reduce.js';
import { broadcast, cast, reshape, transpose } from '../../../engine/ir/shape-ops.js';

const pool = { window: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] } as const;

function setup() {
  const graph = new Graph();
  return {
    graph,
    /** Full-size tensors and per-channel vectors. */
    x: graph.param('x', [2, 4, 4, 3]),
    y: graph.param('y', [2, 4, 4, 3]),
    a: graph.param('a', [3]),
    b: graph.param('b', [3]),
  };
}

/** x normalised by its own mean and variance per channel, as TF.js spells it. */
function batchNorm(graph: Graph, x: Node): Node {
  const axes = [0, 1, 2];
  const centred = subtract(graph, x, mean(graph, x, { axes }));
  const variance = mean(graph, times(graph, centred, centred), { axes });
  const scale = times(graph, unary(graph, 'rsqrt', variance), graph.param('gamma', [3]));
  return add(graph, times(graph, centred, scale), graph.param('beta', [3]));
}

/** The node whose elements `node` has in another shape. */
function unshaped(node: Node): Node {
  return node.op === 'reshape' ? unshaped(node.inputs[0]) : node;
}

/** All nodes that `node` needs, itself included. */
function reachable(node: Node, seen = new Set<Node>()): Set<Node> {
  if (!seen.has(node)) {
    seen.add(node);
    node.inputs.forEach((input) => reachable(input, seen));
  }
  return seen;
}

/** Number of nodes of an operation that a value needs and that work on full-size data. */
function passes(node: Node, op: Node['op'], size: number): number {
  return [...reachable(node)].filter((n) => n.op === op && Math.max(n.size, ...n.inputs.map((i) => i.size)) === size)
    .length;
}

describe('the graph', () => {
  it('makes equal computations one node', () => {
    const { graph, x, y } = setup();
    expect(add(graph, x, y)).toBe(add(graph, x, y));
    expect(add(graph, x, y)).toBe(add(graph, y, x));
    expect(subtract(graph, x, y)).not.toBe(subtract(graph, y, x));
  });

  it('keeps a constant of equal elements as one number, and distinguishes 0 from −0', () => {
    const { graph } = setup();
    expect(splatOf(graph.constant(Float32Array.of(2, 2), [2], 'float32'))).toBe(2);
    expect(splatOf(graph.constant(Float32Array.of(0, -0), [2], 'float32'))).toBeUndefined();
  });
});

describe('shape operations', () => {
  it('join into one, or vanish', () => {
    const { graph, x } = setup();
    expect(reshape(graph, reshape(graph, x, [8, 12]), [2, 4, 4, 3])).toBe(x);
    expect(transpose(graph, transpose(graph, x, [0, 3, 1, 2]), [0, 2, 3, 1])).toBe(x);
    expect(broadcast(graph, x, x.shape)).toBe(x);
  });

  it('refuse a reshape that loses elements', () => {
    const { graph, x } = setup();
    expect(() => reshape(graph, x, [7])).toThrow('expected 96 elements, got [7]');
  });

  it('convert constants at once', () => {
    const { graph } = setup();
    expect(splatOf(cast(graph, graph.splat(-1.5, [2]), 'int32'))).toBe(-1);
    expect(splatOf(cast(graph, graph.splat(0.5, [2]), 'bool'))).toBe(1);
  });
});

describe('elementwise operations', () => {
  it('drop neutral elements', () => {
    const { graph, x } = setup();
    const [zero, one] = [graph.splat(0, []), graph.splat(1, [])];
    expect(add(graph, x, zero)).toBe(x);
    expect(subtract(graph, x, zero)).toBe(x);
    expect(times(graph, one, x)).toBe(x);
    expect(binary(graph, 'div', x, one)).toBe(x);
    expect(binary(graph, 'pow', x, one)).toBe(x);
  });

  it('cancel two negations', () => {
    const { graph, x } = setup();
    expect(negate(graph, negate(graph, x))).toBe(x);
    expect(subtract(graph, graph.splat(0, []), negate(graph, x))).toBe(x);
  });

  it('fold constants in f32', () => {
    const { graph } = setup();
    expect(splatOf(add(graph, graph.splat(0.1, []), graph.splat(0.2, [])))).toBe(Math.fround(0.1 + 0.2));
    expect(splatOf(unary(graph, 'rsqrt', graph.splat(4, [5])))).toBe(0.5);
  });

  it('are computed before a broadcast, not after it', () => {
    const { graph, a } = setup();
    const result = unary(graph, 'exp', broadcast(graph, a, [2, 4, 4, 3]));
    expect([result.op, result.inputs[0]!.op, result.inputs[0]!.size]).toEqual(['broadcast', 'exp', 3]);
  });

  it('refuse operands of different types', () => {
    const { graph, x } = setup();
    expect(() => add(graph, x, graph.splat(1, [], 'int32'))).toThrow('expected equal types, got float32 and int32');
  });
});

describe('products', () => {
  it('gather per-channel factors, whatever the order of multiplication', () => {
    const { graph, x, a, b } = setup();
    const one = times(graph, times(graph, x, a), b);
    const other = times(graph, times(graph, a, b), x);
    expect(one).toBe(other);
    expect(one.inputs.map((input) => input.size)).toEqual([96, 3]);
  });

  it('of two full tensors and two vectors need two full-size passes', () => {
    const { graph, x, y, a, b } = setup();
    expect(passes(times(graph, times(graph, x, a), times(graph, y, b)), 'mul', 96)).toBe(2);
  });
});

describe('sums', () => {
  it('pull per-channel factors out', () => {
    const { graph, x, a } = setup();
    const sum = unshaped(reduce(graph, 'sum', times(graph, x, a), { axes: [0, 1, 2] }));
    expect([sum.op, sum.size]).toEqual(['mul', 3]);
    expect(passes(sum, 'mul', 96)).toBe(0);
  });

  it('of a repeated tensor are multiplications', () => {
    const { graph, a } = setup();
    const sum = unshaped(reduce(graph, 'sum', broadcast(graph, a, [2, 4, 4, 3]), { axes: [0, 1, 2] }));
    expect([sum.op, ...sum.inputs.map(unshaped)]).toEqual(['mul', a, graph.splat(32, [])]);
  });

  it('of x − mean(x) are zero', () => {
    const { graph, x } = setup();
    const centred = subtract(graph, x, mean(graph, x, { axes: [0, 1, 2], keepDims: true }));
    expect(splatOf(reduce(graph, 'sum', centred, { axes: [0, 1, 2] }))).toBe(0);
    expect(splatOf(reduce(graph, 'sum', centred, { axes: [1, 2] }))).toBeUndefined();
  });

  it('of squares of x − mean(x) over all axes but the last are one operation on x', () => {
    const { graph, x } = setup();
    const centred = (axes: number[]) => subtract(graph, x, mean(graph, x, { axes, keepDims: true }));
    const squares = (axes: number[]) => reduce(graph, 'sum', times(graph, centred(axes), centred(axes)), { axes });
    const sum = squares([0, 1, 2]);
    expect([sum.op, sum.inputs, sum.attrs, sum.shape]).toEqual(['spread', [x], { axes: [0, 1, 2] }, [3]]);
    expect([squares([1, 2]).op, squares([3]).op]).toEqual(['sum', 'sum']);
    const other = reduce(graph, 'sum', times(graph, centred([0, 1, 2]), x), { axes: [0, 1, 2] });
    expect(reachable(other)).not.toContain(sum);
  });

  it('split over additions only where that saves a pass', () => {
    const { graph, x, y, a } = setup();
    expect(reduce(graph, 'sum', add(graph, x, y), { axes: [0, 1, 2] }).op).toBe('sum');
    const known = reduce(graph, 'sum', x, { axes: [0, 1, 2] });
    const sum = reduce(graph, 'sum', add(graph, x, a), { axes: [0, 1, 2] });
    expect(sum.op).toBe('add');
    expect(sum.inputs).toContain(known);
    expect(passes(sum, 'add', 96)).toBe(0);
  });

  it('over axes of length 1 are reshapes', () => {
    const { graph } = setup();
    const x = graph.param('flat', [5, 1]);
    expect(reduce(graph, 'sum', x, { axes: 1 })).toBe(reshape(graph, x, [5]));
  });
});

describe('networks', () => {
  it('take ReLU after max pooling', () => {
    const { graph, x } = setup();
    const pooled = maxPool(graph, unary(graph, 'relu', x), pool, [2, 2, 2, 3]);
    expect([pooled.op, pooled.inputs[0]!.op, pooled.size]).toEqual(['relu', 'maxPool', 24]);
  });

  it('take the scale and offset of a batch norm after max pooling, on fewer elements', () => {
    const { graph, x } = setup();
    const pooled = maxPool(graph, batchNorm(graph, x), pool, [2, 2, 2, 3]);
    expect([pooled.op, pooled.size, passes(pooled, 'maxPool', 96), passes(pooled, 'add', 96)]).toEqual([
      'add',
      24,
      1,
      0,
    ]);
  });

  it('leave a batch norm by given statistics below max pooling, where a convolution can take it in', () => {
    const { graph, x, a, b } = setup();
    const z = add(graph, times(graph, subtract(graph, x, a), b), a);
    expect(maxPool(graph, z, pool, [2, 2, 2, 3]).inputs).toEqual([z]);
  });

  it('sum what max pooling gives back, and its product with the input, on the pooled tensors', () => {
    const { graph, x } = setup();
    const dy = graph.param('dy', [2, 2, 2, 3]);
    const gradient = maxPoolGrad(graph, dy, batchNorm(graph, x), pool);
    const centred = subtract(graph, x, mean(graph, x, { axes: [0, 1, 2] }));
    const total = reduce(graph, 'sum', gradient, { axes: [0, 1, 2] });
    expect(total).toBe(reduce(graph, 'sum', dy, { axes: [0, 1, 2] }));
    const product = reduce(graph, 'sum', times(graph, gradient, centred), { axes: [0, 1, 2] });
    expect(reachable(product)).not.toContain(gradient);
    expect(passes(product, 'mul', 24)).toBe(1);
  });

  it('centre the input of a batch norm that is pooled once, for pooling and its gradient', () => {
    const { graph, x, y } = setup();
    const pooled = maxPool(graph, batchNorm(graph, x), pool, [2, 2, 2, 3]);
    const gradient = times(graph, subtract(graph, x, mean(graph, x, { axes: [0, 1, 2] })), y);
    const both = (nodes: readonly Node[]) => graph.make('concat', nodes, { axis: 0 }, [4, 4, 4, 3], 'float32');
    const count = (node: Node, op: Node['op']) => passes(node, op, 96);
    expect(count(both([pooled, gradient]), 'sub')).toBe(1);
    const once = both(centreOnce(graph, [pooled, gradient]));
    expect([count(once, 'sub'), count(once, 'add'), count(once, 'mul')]).toEqual([0, 1, 3]);
  });

  it('mask the gradient of ReLU and max pooling once, on the pooled tensor', () => {
    const { graph, x } = setup();
    const dy = graph.param('dy', [2, 2, 2, 3]);
    const gradient = maxPoolGrad(graph, dy, unary(graph, 'relu', x), pool);
    expect(times(graph, gradient, unary(graph, 'step', x))).toBe(gradient);
    expect(passes(gradient, 'mul', 24)).toBe(1);
  });

  it('write a product with one batch as a plain matrix product', () => {
    const { graph } = setup();
    const [a, b] = [graph.param('m', [1, 4, 5]), graph.param('n', [1, 5, 6])];
    const product = matmul(graph, a, b, { transposeA: false, transposeB: false });
    expect([product.op, product.inputs[0]!.op, product.shape]).toEqual(['reshape', 'matmul', [1, 4, 6]]);
  });
});

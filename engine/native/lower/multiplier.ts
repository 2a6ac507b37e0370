import type { Graph } from '../../ir/graph.js';
import type { Node, NodeOf } from '../../ir/node.js';
import { reduce } from '../../ir/reduce.js';
import { broadcast, reshape } from '../../ir/shape-ops.js';
import type { Lowering } from './lowering.js';

// Depthwise convolutions with several filters per channel, as ones with a single filter on repeated channels.

export function multipliedDepthwise(lowering: Lowering, node: NodeOf<'depthwise'>): void {
  const { graph } = lowering;
  const [x, filter] = node.inputs;
  const inputs = [repeated(graph, x, filter.shape[3]!), flat(graph, filter)] as const;
  lowering.alias(node, graph.make('depthwise', inputs, node.attrs, node.shape, node.dtype));
}

export function multipliedInput(lowering: Lowering, node: NodeOf<'depthwiseInput'>): void {
  const { graph } = lowering;
  const [dy, filter] = node.inputs;
  const multiplier = filter.shape[3]!;
  const wide = [...node.shape.slice(0, 3), node.shape[3]! * multiplier];
  const parts = graph.make('depthwiseInput', [dy, flat(graph, filter)], node.attrs, wide, node.dtype);
  const split = reshape(graph, parts, [...node.shape, multiplier]);
  lowering.alias(node, reduce(graph, 'sum', split, { axes: [4] }));
}

export function multipliedFilter(lowering: Lowering, node: NodeOf<'depthwiseFilter'>): void {
  const { graph } = lowering;
  const [x, dy] = node.inputs;
  const [kh, kw, channels, multiplier] = node.shape as [number, number, number, number];
  const shape = [kh, kw, channels * multiplier, 1];
  const inputs = [repeated(graph, x, multiplier), dy] as const;
  const filter = graph.make('depthwiseFilter', inputs, node.attrs, shape, node.dtype);
  lowering.alias(node, reshape(graph, filter, node.shape));
}

/** Every channel `times` times. */
function repeated(graph: Graph, x: Node, times: number): Node {
  const shape = [...x.shape.slice(0, 3), x.shape[3]! * times];
  return reshape(graph, broadcast(graph, reshape(graph, x, [...x.shape, 1]), [...x.shape, times]), shape);
}

/** Filters `[kh, kw, c, m]` as `[kh, kw, c · m, 1]`. */
function flat(graph: Graph, filter: Node): Node {
  const [kh, kw, channels, multiplier] = filter.shape as [number, number, number, number];
  return reshape(graph, filter, [kh, kw, channels * multiplier, 1]);
}

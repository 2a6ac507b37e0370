import { add, times, unary } from '../ir/elementwise.js';
import { Graph } from '../ir/graph.js';
import type { Node } from '../ir/node.js';
import { reduce } from '../ir/reduce.js';
import type { TracedProgram } from '../trace/program.js';

/**
 * A small program with every case of the nchwc formulations but strides: two 5×5 convolutions, the first from 3 channels
 * to one block with a bias, the second from one block to two, and their gradients for ½ Σ y², on a block of images and 3
 * more; a gradient to which another is added; and what batch norm and pooling need: pooling and its gradient, to which a multiple of each channel is added,
 * ReLU of one, a channel's product and sum.
 */
export function probeProgram(block: number): TracedProgram {
  const graph = new Graph();
  const [batch, side] = [block + 3, 6];
  const attrs = { pads: [2, 2, 2, 2], strides: [1, 1], dilations: [1, 1] } as const;
  const x = graph.param('x', [batch, side, side, 3]);
  const filter1 = graph.param('filter1', [5, 5, 3, block]);
  const bias1 = graph.param('bias1', [block]);
  const filter2 = graph.param('filter2', [5, 5, block, 2 * block]);

  const make = (op: 'conv' | 'convFilter' | 'convInput', inputs: readonly [Node, Node], shape: readonly number[]) =>
    graph.make(op, inputs, attrs, shape, 'float32') as Node;
  const y1 = add(graph, make('conv', [x, filter1], [batch, side, side, block]), bias1);
  const y2 = make('conv', [y1, filter2], [batch, side, side, 2 * block]);
  const dy1 = make('convInput', [y2, filter2], y1.shape);
  const scale = graph.param('scale', [block]);
  const pool = { window: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] } as const;
  const p1 = graph.make('maxPool', [y1], pool, [batch, side / 2, side / 2, block], 'float32');
  const spread = graph.make('maxPoolGrad', [times(graph, p1, p1), y1, p1], pool, y1.shape, 'float32');
  const outputs = {
    y1,
    p1: unary(graph, 'relu', add(graph, times(graph, p1, scale), bias1)),
    spread: add(graph, add(graph, spread, times(graph, y1, scale)), bias1),
    sums: reduce(graph, 'sum', times(graph, times(graph, y1, y1), y1), { axes: [0, 1, 2] }),
    y2,
    dy1,
    ways: add(graph, make('convInput', [unary(graph, 'relu', y2), filter2], y1.shape), y1),
    dfilter1: make('convFilter', [x, dy1], filter1.shape),
    dfilter2: make('convFilter', [y1, y2], filter2.shape),
  };
  return {
    graph,
    flatInputs: [{ name: 'params', pieces: [x, filter1, bias1, filter2, scale] }],
    outputs: Object.entries(outputs).map(([name, node]) => ({ kind: 'tensor', name, node })),
  };
}

/** What a GPU is asked first: a 3×3 convolution, its filter gradient, and a sum. Few kernels, as it has to compile them. */
export function gpuProbeProgram(): TracedProgram {
  const graph = new Graph();
  const attrs = { pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1] } as const;
  const x = graph.param('x', [3, 6, 6, 4]);
  const filter = graph.param('filter', [3, 3, 4, 8]);
  const y = graph.make('conv', [x, filter], attrs, [3, 6, 6, 8], 'float32');
  const outputs = {
    y,
    dfilter: graph.make('convFilter', [x, y], attrs, filter.shape, 'float32'),
    sums: reduce(graph, 'sum', y, { axes: [0, 1, 2] }),
  };
  return {
    graph,
    flatInputs: [{ name: 'params', pieces: [x, filter] }],
    outputs: Object.entries(outputs).map(([name, node]) => ({ kind: 'tensor', name, node })),
  };
}

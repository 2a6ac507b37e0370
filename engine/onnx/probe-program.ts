import { Graph } from '../ir/graph.js';
import { reduce } from '../ir/reduce.js';
import type { TracedProgram } from '../trace/program.js';

/** A GPU's first program: a 3×3 convolution, its filter gradient, and a sum. Few kernels, because each is compiled. */
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

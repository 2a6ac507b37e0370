import { expect, it } from 'vitest';
import { subtract, times } from '../../../engine/ir/elementwise.js';
import { Graph } from '../../../engine/ir/graph.js';
import type { Node } from '../../../engine/ir/node.js';
import { mean, reduce } from '../../../engine/ir/reduce.js';
import { lowerProgram } from '../../../engine/lower/lower-program.js';
import { portable } from '../../../engine/lower/portable.js';

const axes = [0, 1, 2];

/** ONNX program with the sum of squares about the mean, and the differences, which others need too. */
function programOf(shape: readonly number[], sum: (graph: Graph, squares: Node) => Node): Uint8Array {
  const graph = new Graph();
  const x = graph.param('x', shape);
  const centred = subtract(graph, x, mean(graph, x, { axes, keepDims: true }));
  const squares = times(graph, centred, centred);
  const pieces = [sum(graph, squares), centred];
  return lowerProgram(
    { graph, flatInputs: [{ name: 'params', pieces: [x] }], outputs: [{ kind: 'flat', name: 'y', pieces }] },
    portable,
  );
}

it.each([[[2, 4, 4, 3]], [[3, 5, 2, 1]]])('an ONNX program for %j sums squares of x − mean(x)', (shape) => {
  const spread = programOf(shape, (graph, squares) => reduce(graph, 'sum', squares, { axes }));
  const plain = programOf(shape, (graph, squares) =>
    graph.make('sum', [squares], { axes }, shape.slice(-1), 'float32'),
  );
  expect(spread).toEqual(plain);
});

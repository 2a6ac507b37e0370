import { centreOnce } from '../ir/centre.js';
import { type Output, outputNodes, type TracedProgram } from '../trace/program.js';

/** Removes tensors that are redundant in the program as a whole. */
export function optimized(program: TracedProgram): TracedProgram {
  const { graph, outputs } = program;
  const after = [...centreOnce(graph, outputNodes(program))];
  const replaced = outputs.map((output): Output => {
    if (output.kind === 'tensor') return { ...output, node: after.shift()! };
    return { ...output, pieces: after.splice(0, output.pieces.length) };
  });
  return { ...program, outputs: replaced };
}

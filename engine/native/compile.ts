import type { ProgramSpec } from '../engine.js';
import type { Node } from '../ir/node.js';
import { sizeOf } from '../ir/shape.js';
import { type Output, outputNodes, type TracedProgram } from '../trace/program.js';
import { usedMasks } from '../trace/trace-spec.js';
import { Inputs } from './lower/inputs.js';
import { Lowering } from './lower/lowering.js';
import { move } from './lower/move.js';
import { whole } from './lower/movement.js';
import { rules } from './lower/rules.js';
import type { KernelPlan } from './kernel-plan.js';
import { buildPlan } from './plan/build.js';
import type { Space } from './plan/opcodes.js';
import type { Place } from './plan/memory.js';
import { single } from './plan/plan-op.js';

/** Memory of each output. Loss and number of correct predictions share one: two words. */
const outputPlaces: Readonly<Record<string, { readonly space: Space; readonly byte: number }>> = {
  gradient: { space: 'outA', byte: 0 },
  log_probabilities: { space: 'outA', byte: 0 },
  statistics: { space: 'outB', byte: 0 },
  loss: { space: 'outC', byte: 0 },
  correct: { space: 'outC', byte: 4 },
};

/** Compiles a traced program to a kernel plan of arithmetic 1. */
export function compilePlan(program: TracedProgram, spec: Pick<ProgramSpec, 'batch' | 'imageShape'>): KernelPlan {
  const { graph, outputs, flatInputs } = program;
  const masks = usedMasks(program);
  const lowering = new Lowering(graph, spec.batch, new Inputs(flatInputs, masks), rules, outputNodes(program));
  const results = new Map<number, Place>();
  for (const output of outputs) writeOutput(lowering, output, results);
  const constants = lowering.constants.build();
  const weights = (name: string) => bytesOf(flatInputs.flatMap((flat) => (flat.name === name ? flat.pieces : [])));
  const written = (space: Space) => {
    return bytesOf(outputs.flatMap((output) => (outputPlaces[output.name]!.space === space ? piecesOf(output) : [])));
  };
  const plan = buildPlan({
    ops: lowering.ops,
    results,
    newBuffer: ({ words, items }) => ({ ...lowering.buffer(single, words), items }),
    bytes: {
      constants: constants.length,
      params: weights('params'),
      state: weights('state'),
      images: spec.batch * sizeOf(spec.imageShape),
      labels: 4 * spec.batch,
      masks: bytesOf(masks),
      outA: written('outA'),
      outB: written('outB'),
      outC: written('outC'),
    },
  });
  return { plan, constants };
}

/** Bytes of vectors of f32 or i32. */
function bytesOf(vectors: readonly { readonly size: number }[]): number {
  return vectors.reduce((sum, { size }) => sum + 4 * size, 0);
}

function piecesOf(output: Output): readonly Node[] {
  return output.kind === 'flat' ? output.pieces : [output.node];
}

/** Places an output's pieces in the caller's memory; copies those that are the caller's already, or another output. */
function writeOutput(lowering: Lowering, output: Output, results: Map<number, Place>): void {
  const { space, byte } = outputPlaces[output.name]!;
  piecesOf(output).reduce((at, piece) => {
    const from = lowering.get(piece);
    if (from.fixed || results.has(from.id) || from.words * from.items !== piece.size) {
      const to = lowering.buffer(single, piece.size);
      move(lowering, single, { from: whole(from), to, dimensions: [[piece.size, 1, 1]] });
      results.set(to.id, { space, byte: at });
    } else results.set(from.id, { space, byte: at });
    return at + piece.size * 4;
  }, byte);
}

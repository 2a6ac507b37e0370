import type { MaskInfo, ProgramSpec } from '../engine.js';
import { maskInput } from '../feeds.js';
import type { Node } from '../ir/node.js';
import { postOrder } from '../ir/post-order.js';
import type { Output, TracedProgram } from '../trace/program.js';
import { Inputs } from './lower/inputs.js';
import { Lowering } from './lower/lowering.js';
import { move } from './lower/move.js';
import { whole } from './lower/movement.js';
import { rules } from './lower/rules.js';
import { buildPlan } from './plan/build.js';
import type { Space } from './plan/opcodes.js';
import type { Place } from './plan/memory.js';
import { single } from './plan/plan-op.js';

/** A kernel plan and its constants; what the kernels' runner takes. */
export interface KernelPlan {
  readonly plan: Float64Array;
  readonly constants: Uint8Array;
}

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
  const roots = outputs.flatMap(piecesOf);
  const masks = usedMasks(program);
  const lowering = new Lowering(graph, spec.batch, new Inputs(flatInputs, masks), rules, roots);
  const results = new Map<number, Place>();
  for (const output of outputs) writeOutput(lowering, output, results);
  const bytesOf = (name: string) => 4 * (flatInputs.find((flat) => flat.name === name)?.pieces ?? []).reduce((n, { size }) => n + size, 0);
  const constants = lowering.constants.build();
  const outputBytes = (space: Space) =>
    outputs.filter(({ name }) => outputPlaces[name]!.space === space).flatMap(piecesOf).reduce((n, { size }) => n + 4 * size, 0);
  const plan = buildPlan({
    ops: lowering.ops,
    results,
    newBuffer: ({ words, items }) => ({ ...lowering.buffer(single, words), items }),
    bytes: {
      constants: constants.length,
      params: bytesOf('params'),
      state: bytesOf('state'),
      images: spec.batch * spec.imageShape.reduce((a, b) => a * b),
      labels: 4 * spec.batch,
      masks: masks.reduce((n, { size }) => n + 4 * size, 0),
      outA: outputBytes('outA'),
      outB: outputBytes('outB'),
      outC: outputBytes('outC'),
    },
  });
  return { plan, constants };
}

function piecesOf(output: Output): readonly Node[] {
  return output.kind === 'flat' ? output.pieces : [output.node];
}

/** Masks that affect an output, in their order. */
export function usedMasks({ masks = [], outputs }: TracedProgram): MaskInfo[] {
  const nodes = postOrder(outputs.flatMap(piecesOf));
  const names = new Set(nodes.flatMap((node) => (node.op === 'input' ? [node.attrs.name] : [])));
  return masks.filter(({ name }) => names.has(maskInput(name)));
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

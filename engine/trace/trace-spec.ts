import type { MaskInfo, ProgramSpec } from '../engine.js';
import { maskInput } from '../feeds.js';
import { postOrder } from '../ir/post-order.js';
import { layoutOf, loadBlankModel, loadTrainingModel } from '../model/model.js';
import { outputNodes, type TracedProgram, traceEvaluation, traceTraining } from './program.js';

/** A program's graph, and the properties that a compiled program needs. */
export interface TracedSpec {
  readonly program: TracedProgram;
  /** Length of `params`. */
  readonly parameterCount: number;
  /** Length of `state`; 0 without running statistics. */
  readonly stateCount: number;
  /** Masks that affect an output, in the order of the layers' calls. */
  readonly masks: readonly MaskInfo[];
}

/** Records the program of a spec. Loads TF.js. */
export async function traceSpec(spec: ProgramSpec): Promise<TracedSpec> {
  const isTraining = spec.mode === 'train';
  const model = await (isTraining ? loadTrainingModel : loadBlankModel)(spec.topology);
  try {
    const { parameterCount, stateCount } = layoutOf(model, spec.topology);
    const program = (isTraining ? traceTraining : traceEvaluation)(model, spec);
    return { program, parameterCount, stateCount, masks: usedMasks(program) };
  } finally {
    model.dispose();
  }
}

/** Masks that affect an output; others aren't inputs of the compiled program. */
export function usedMasks(program: TracedProgram): MaskInfo[] {
  const nodes = postOrder(outputNodes(program));
  const names = new Set(nodes.flatMap((node) => (node.op === 'input' ? [node.attrs.name] : [])));
  return (program.masks ?? []).filter(({ name }) => names.has(maskInput(name)));
}

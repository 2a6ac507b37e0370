import type { MaskInfo, ProgramSpec } from '../engine.js';
import type { CompiledProgram } from '../cache/entry.js';
import { inputsOf, lowerProgram } from '../lower/lower-program.js';
import { im2col } from '../lower/im2col.js';
import type { Rules } from '../lower/lowering.js';
import { portable } from '../lower/portable.js';
import { maskInput } from '../feeds.js';
import { layoutOf, loadBlankModel, loadTrainingModel } from '../model/model.js';
import { type TracedProgram, traceEvaluation, traceTraining } from '../trace/program.js';
import { gpuProbeProgram } from './probe-program.js';
import type { ProgramRequest } from './program-request.js';

/** Compiles a program. Load this file by dynamic `import()` only: it loads TF.js and the ONNX writer. */
export async function compile(request: ProgramRequest): Promise<CompiledProgram> {
  const rules = { portable, im2col }[request.target];
  return request.kind === 'program' ? compileProgram(request.spec, rules) : compileProbe(rules);
}

async function compileProgram(spec: ProgramSpec, rules: Rules): Promise<CompiledProgram> {
  const isTraining = spec.mode === 'train';
  const model = await (isTraining ? loadTrainingModel : loadBlankModel)(spec.topology);
  try {
    const { parameterCount, stateCount } = layoutOf(model, spec.topology);
    const traced = (isTraining ? traceTraining : traceEvaluation)(model, spec);
    return { bytes: lowerProgram(traced, rules), parameterCount, stateCount, masks: usedMasks(traced) };
  } finally {
    model.dispose();
  }
}

/** Masks that affect an output; others aren't inputs of the ONNX model. */
function usedMasks(traced: TracedProgram): MaskInfo[] {
  const inputs = new Set(inputsOf(traced).map(({ attrs }) => attrs.name));
  return (traced.masks ?? []).filter(({ name }) => inputs.has(maskInput(name)));
}

function compileProbe(rules: Rules): CompiledProgram {
  const program = gpuProbeProgram();
  const inputs = program.flatInputs.flatMap(({ pieces }) => pieces);
  const parameterCount = inputs.reduce((sum, { size }) => sum + size, 0);
  return { bytes: lowerProgram(program, rules), parameterCount, stateCount: 0, masks: [] };
}

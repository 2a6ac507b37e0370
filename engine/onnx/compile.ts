import type { MaskInfo, ProgramSpec } from '../engine.js';
import type { CompiledProgram } from '../cache/entry.js';
import { OnnxWriter } from '../emit/onnx-writer.js';
import { inputsOf, lowerProgram } from '../lower/lower-program.js';
import { im2col } from '../lower/im2col.js';
import type { Rules } from '../lower/lowering.js';
import { nchwcRules } from '../lower/nchwc.js';
import { portable } from '../lower/portable.js';
import { maskInput } from '../feeds.js';
import { layoutOf, loadBlankModel, loadTrainingModel } from '../model/model.js';
import { type TracedProgram, traceEvaluation, traceTraining } from '../trace/program.js';
import { gpuProbeProgram, probeProgram } from './probe-program.js';
import type { ProgramRequest, Target } from './program-request.js';

/** Compiles a program. Load this file by dynamic `import()` only: it loads TF.js and the ONNX writer. */
export async function compile(request: ProgramRequest): Promise<CompiledProgram> {
  switch (request.kind) {
    case 'program':
      return compileProgram(request.spec, rulesOf(request.target));
    case 'probe':
      return compileProbe(rulesOf(request.target), probeProgram(request.block));
    case 'gpuProbe':
      return compileProbe(rulesOf(request.target), gpuProbeProgram());
    case 'blockProbe':
      return { bytes: blockProbe(), parameterCount: 0, stateCount: 0, masks: [] };
    default:
      return request satisfies never;
  }
}

function rulesOf(target: Target): Rules {
  if (target === 'portable') return portable;
  return target === 'im2col' ? im2col : nchwcRules(target.nchwc);
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

/** Compiles a program that checks formulations; see `probe-program.ts`. */
export function compileProbe(rules: Rules, program: TracedProgram): CompiledProgram {
  const inputs = program.flatInputs.flatMap(({ pieces }) => pieces);
  const parameterCount = inputs.reduce((sum, { size }) => sum + size, 0);
  return { bytes: lowerProgram(program, rules), parameterCount, stateCount: 0, masks: [] };
}

/** `y` is `x` `[1, 64, 1, 2]` in blocks of channels. */
function blockProbe(): Uint8Array {
  const writer = new OnnxWriter();
  const shape = [1, 64, 1, 2];
  writer.input('x', 'float32', shape);
  writer.op('com.microsoft.nchwc.ReorderInput', ['x'], {}, 'y');
  writer.output('y', 'float32', shape);
  return writer.build();
}

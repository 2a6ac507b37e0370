import type { ProgramSpec } from '../engine.js';
import type { CompiledProgram } from '../cache/entry.js';
import { im2col } from '../lower/im2col.js';
import { lowerProgram } from '../lower/lower-program.js';
import type { Rules } from '../lower/lowering.js';
import { optimized } from '../lower/optimize.js';
import { portable } from '../lower/portable.js';
import { traceSpec } from '../trace/trace-spec.js';
import { gpuProbeProgram } from './probe-program.js';
import type { ProgramRequest } from './program-request.js';

/** Compiles a program. Load this file by dynamic `import()` only: it loads TF.js and the ONNX writer. */
export async function compile(request: ProgramRequest): Promise<CompiledProgram> {
  const rules = { portable, im2col }[request.target];
  return request.kind === 'program' ? compileProgram(request.spec, rules) : compileProbe(rules);
}

async function compileProgram(spec: ProgramSpec, rules: Rules): Promise<CompiledProgram> {
  const { program, ...facts } = await traceSpec(spec);
  return { ...facts, bytes: lowerProgram(optimized(program), rules) };
}

function compileProbe(rules: Rules): CompiledProgram {
  const program = gpuProbeProgram();
  const inputs = program.flatInputs.flatMap(({ pieces }) => pieces);
  const parameterCount = inputs.reduce((sum, { size }) => sum + size, 0);
  return { bytes: lowerProgram(program, rules), parameterCount, stateCount: 0, masks: [] };
}

import type { CompiledProgram } from '../cache/entry.js';
import type { ProgramSpec } from '../engine.js';
import { traceSpec } from '../trace/trace-spec.js';
import { compilePlan } from './compile.js';
import { encodeKernelPlan } from './kernel-plan.js';

/** Compiles a program. Load this file by dynamic `import()` only: it loads TF.js. */
export async function compileProgram(spec: ProgramSpec): Promise<CompiledProgram> {
  const { program, ...facts } = await traceSpec(spec);
  return { ...facts, bytes: encodeKernelPlan(compilePlan(program, spec)) };
}

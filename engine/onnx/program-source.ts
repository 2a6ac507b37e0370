import { canonicalJson, sha256Hex } from '../../job/digest.js';
import type { CompiledProgram } from '../cache/entry.js';
import type { ProgramCache } from '../cache/program-cache.js';
import type { ProgramSpec } from '../engine.js';

/** How operations are formulated: for CPUs in blocks of so many channels, for GPUs with im2col, or portably. */
export type Target = 'portable' | 'im2col' | { readonly nchwc: number };

/** What can be compiled: a program of a job, or what shows which formulations work on this machine. */
export type ProgramRequest =
  | { readonly kind: 'program'; readonly target: Target; readonly spec: ProgramSpec }
  | { readonly kind: 'probe'; readonly target: Target; readonly block: number }
  | { readonly kind: 'gpuProbe'; readonly target: Target }
  | { readonly kind: 'blockProbe' };

/** Gives compiled programs. */
export type ProgramSource = (request: ProgramRequest) => Promise<CompiledProgram>;

/** Compiles each program when it is asked for. */
export const compileEachTime: ProgramSource = async (request) => {
  const { compile } = await import('./compile.js');
  return compile(request);
};

/** Takes programs from the cache, and keeps there what it had to compile. The bytes are the same either way. */
export function throughCache(cache: ProgramCache): ProgramSource {
  return async (request) => {
    const key = sha256Hex(canonicalJson({ compiler: cache.compiler, request }));
    const found = await cache.load(key);
    if (found) return found;
    const program = await compileEachTime(request);
    await cache.store(key, program);
    return program;
  };
}

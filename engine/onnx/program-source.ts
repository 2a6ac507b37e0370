import { canonicalJson, sha256Hex } from '../../util/digest.js';
import type { CompiledProgram } from '../cache/entry.js';
import type { ProgramCache } from '../cache/program-cache.js';
import type { ProgramRequest } from './program-request.js';

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

import { canonicalJson, sha256Hex } from '../../util/digest.js';
import type { CompiledProgram } from '../cache/entry.js';
import type { ProgramCache } from '../cache/program-cache.js';
import type { ProgramRequest } from './program-request.js';

/** Returns compiled programs. */
export type ProgramSource = (request: ProgramRequest) => Promise<CompiledProgram>;

/** Compiles each program on request. */
export const compileEachTime: ProgramSource = async (request) => {
  const { compile } = await import('./compile.js');
  return compile(request);
};

/** Loads programs from the cache, or compiles and stores them. The bytes are the same. */
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

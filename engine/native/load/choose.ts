import type { InstructionSet } from '../../engine.js';
import { EngineError } from '../../errors.js';

/** Platform and architecture as `process` names them. The Linux files serve glibc and musl. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
}

/** Prebuilt file to load first. `isa` undefined: the fastest that the CPU has. */
export interface TargetChoice {
  readonly target: string;
  readonly isa: InstructionSet | undefined;
  readonly reason: string;
}

/** An instruction set of a loaded addon; `missing` is what the CPU lacks, empty if nothing. */
export interface IsaState {
  readonly name: string;
  readonly missing: string;
}

export const wasmTarget = 'lockstep.wasm';

const isasOfHost: Readonly<Record<string, readonly InstructionSet[]>> = {
  'linux-x64': ['avx512', 'avx2'],
  'linux-arm64': ['neon'],
  'darwin-arm64': ['neon'],
  'win32-x64': ['avx512', 'avx2'],
};

/**
 * File for a host and a requested instruction set.
 *
 * @throws EngineError RUNTIME if the host has no build of the requested instruction set.
 */
export function chooseTarget(host: Host, requested?: InstructionSet): TargetChoice {
  const name = `${host.platform}-${host.arch}`;
  const isas = isasOfHost[name];
  if (requested === 'wasm') return { target: wasmTarget, isa: 'wasm', reason: 'requested' };
  if (requested !== undefined && !(isas?.includes(requested) ?? false)) {
    const known = [...(isas ?? []), 'wasm'].join(' or ');
    throw new EngineError(
      'RUNTIME',
      `choose instruction set: expected ${known} on ${name}, got ${requested}; choose one of these or none`,
    );
  }
  if (isas === undefined) return { target: wasmTarget, isa: 'wasm', reason: `no native build for ${name}` };
  return { target: `${name}.node`, isa: requested, reason: requested === undefined ? '' : 'requested' };
}

/** The requested instruction set, or the first available one of an addon; or what the CPU lacks. */
export function chooseIsa(
  states: readonly IsaState[],
  requested: InstructionSet | undefined,
): { readonly isa: InstructionSet; readonly reason: string } | { readonly missing: string } {
  const candidates = states.filter(({ name }) => requested === undefined || name === requested);
  const found = candidates.find(({ missing }) => missing === '');
  if (found === undefined) {
    return { missing: candidates.map(({ name, missing }) => `${name}: the CPU lacks ${missing}`).join(', ') };
  }
  const passed = candidates.slice(0, candidates.indexOf(found));
  const lacking = passed.map(({ name, missing }) => `${name}: the CPU lacks ${missing}`).join(', ');
  const reason = requested === undefined ? lacking || 'the fastest of this CPU' : 'requested';
  return { isa: found.name as InstructionSet, reason };
}

import type { InstructionSet } from '../../../engine/engine.js';
import { chooseTarget } from '../../../engine/native/load/choose.js';
import { loadNative } from '../../../engine/native/load/load.js';

/**
 * Missing requirement of an instruction set, for titles of tests: another platform or CPU; undefined if it runs here.
 *
 * @throws EngineError if its kernels are here but don't work, so that the tests fail.
 */
export function whyNot(isa: InstructionSet): string | undefined {
  const { platform, arch } = process;
  if (isa === 'wasm') return undefined;
  if ((isa === 'neon') !== (arch === 'arm64')) return `${isa === 'neon' ? 'arm64' : 'x64'}, not ${arch}`;
  if (!hasBuild(isa)) return `a build for ${platform}-${arch}`;
  try {
    loadNative(isa);
    return undefined;
  } catch (error) {
    const lacks = /the CPU lacks ([^;]+)/.exec((error as Error).message)?.[1];
    if (lacks === undefined) throw error; // Such as a failed self-test.
    return lacks;
  }
}

function hasBuild(isa: InstructionSet): boolean {
  try {
    chooseTarget(process, isa);
    return true;
  } catch {
    return false;
  }
}

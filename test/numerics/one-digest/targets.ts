import type { InstructionSet } from '../../../engine/engine.js';
import { loadNative } from '../../../engine/native/load/load.js';

/** Missing requirement of an instruction set, for titles of tests; undefined if it runs here. */
export function whyNot(isa: InstructionSet): string | undefined {
  const { arch } = process;
  if (isa === 'wasm') return undefined;
  if ((isa === 'neon') !== (arch === 'arm64')) return `${isa === 'neon' ? 'arm64' : 'x64'}, not ${arch}`;
  try {
    loadNative(isa);
    return undefined;
  } catch (error) {
    const lacks = /the CPU lacks ([^;]+)/.exec((error as Error).message)?.[1];
    if (lacks === undefined) throw error; // Such as a failed self-test.
    return lacks;
  }
}

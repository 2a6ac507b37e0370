import { arithmeticVersion } from '../../arithmetic.js';
import type { Fused } from './fuse.js';
import { type MemoryPlan, placeOf } from './memory.js';
import { op, planMagic, type Space, spaces } from './opcodes.js';
import type { Arg, Grid } from './plan-op.js';

/** Kernels that run on each of the same items, in order. */
export interface EncodedJob {
  readonly grid: Grid;
  readonly kernels: readonly Fused[];
}

/** Bytes of each memory of a program. */
export type SpaceBytes = Readonly<Record<Space, number>>;

/** Images, or tasks, that one thread runs in sequence. Chunks of filter gradients are four images. */
const chunkOfFilters = 4;
const chunkOfImages = 2;
/** Address: number of the space times this, plus the byte. */
const spaceStep = 2 ** 40;

/** The plan as numbers, for the kernels' runner: see kernels/plan.h. */
export function encodePlan(
  phases: readonly (readonly EncodedJob[])[],
  memory: MemoryPlan,
  bytes: SpaceBytes,
): Float64Array {
  const words: number[] = [planMagic, arithmeticVersion, spaces.length, ...spaces.map((space) => bytes[space])];
  words.push(phases.length);
  for (const jobs of phases) {
    words.push(jobs.length);
    for (const job of jobs) {
      words.push(job.grid.items, chunkOf(job), job.kernels.length);
      for (const kernel of job.kernels) {
        const args = [job.grid.items, ...kernel.args.map((arg) => encodeArg(memory, arg))];
        words.push(kernel.code, args.length, ...args);
      }
    }
  }
  return Float64Array.from(words);
}

function chunkOf({ grid, kernels }: EncodedJob): number {
  const hasFilters = kernels.some(({ code }) => code === op.convFilter || code === op.depthwiseFilter);
  if (hasFilters) return chunkOfFilters;
  return grid.kind === 'image' ? chunkOfImages : 1;
}

function encodeArg(memory: MemoryPlan, arg: Arg): number {
  if (typeof arg === 'number') return arg;
  if ('strideOf' in arg) return placeOf(memory, arg.strideOf).stride;
  const { space, byte } = placeOf(memory, arg.at);
  return spaces.indexOf(space) * spaceStep + byte + 4 * (arg.word ?? 0);
}

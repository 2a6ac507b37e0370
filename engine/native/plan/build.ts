import { dependenciesOf } from './dependencies.js';
import { encodePlan, type EncodedJob, type SpaceBytes } from './encode.js';
import { fuse } from './fuse.js';
import { type Place, planMemory, type TimedAccess } from './memory.js';
import { assignPhases, jobsOf } from './phases.js';
import { type Buffer, gridOf, type PlanOp, readsOf, writesOf } from './plan-op.js';
import { recompute } from './recompute.js';

export interface PlanInput {
  readonly ops: readonly PlanOp[];
  /** Places of the buffers that hold results of the program, by id. */
  readonly results: ReadonlyMap<number, Place>;
  readonly newBuffer: (like: Buffer) => Buffer;
  /** Sizes of all memories but the arena and the scratch memory. */
  readonly bytes: Omit<SpaceBytes, 'arena' | 'scratch'>;
}

/** Schedules operations in phases, fuses elementwise steps, assigns memory and encodes the result. */
export function buildPlan({ ops, results, newBuffer, bytes }: PlanInput): Float64Array {
  const first = assignPhases(ops, dependenciesOf(ops));
  const again = recompute(ops, first, new Set(results.keys()), newBuffer);
  const live = withoutUnused(again.ops, new Set(results.keys()));
  const dependencies = dependenciesOf(live);
  const readers = readersOf(live);
  const phases = jobsOf(live, again.phases).map((jobs) =>
    jobs.map((job): EncodedJob => {
      const isReadOutside = ({ result }: { readonly result: Buffer }, group: ReadonlySet<PlanOp>) =>
        results.has(result.id) || (readers.get(result.id) ?? []).some((reader) => !group.has(reader));
      return { grid: gridOf(job.ops[0]!), kernels: fuse(job.ops, dependencies, isReadOutside) };
    }),
  );
  const memory = planMemory(timedAccesses(phases), results);
  return encodePlan(phases, memory, { ...bytes, arena: memory.arenaBytes, scratch: memory.scratchBytes });
}

/** Operations whose results are read, or are results of the program. */
function withoutUnused(ops: readonly PlanOp[], results: ReadonlySet<number>): PlanOp[] {
  const needed = new Set(results);
  const live: PlanOp[] = [];
  for (const op of [...ops].reverse()) {
    if (!writesOf(op).some(({ buffer }) => needed.has(buffer.id))) continue;
    live.push(op);
    for (const { buffer } of readsOf(op)) needed.add(buffer.id);
  }
  return live.reverse();
}

function readersOf(ops: readonly PlanOp[]): Map<number, PlanOp[]> {
  const readers = new Map<number, PlanOp[]>();
  for (const op of ops) {
    for (const { buffer } of readsOf(op)) readers.set(buffer.id, [...(readers.get(buffer.id) ?? []), op]);
  }
  return readers;
}

function timedAccesses(phases: readonly (readonly EncodedJob[])[]): TimedAccess[] {
  return phases.flatMap((jobs, phase) =>
    jobs.flatMap(({ grid, kernels }, job) =>
      kernels.flatMap((kernel, position) => {
        const time = { phase, job, position, isImages: grid.kind === 'image' };
        return [...kernel.reads, ...kernel.writes].map((access) => ({ ...access, time }));
      }),
    ),
  );
}

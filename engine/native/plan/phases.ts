import type { Dependency } from './dependencies.js';
import { gridOf, type PlanOp } from './plan-op.js';

/**
 * Phase of each operation. An operation is in the phase of those it needs if it needs them item by item, else later.
 * Among the possible phases it has the latest, so that its result is used soon after.
 */
export function assignPhases(
  ops: readonly PlanOp[],
  dependencies: ReadonlyMap<PlanOp, readonly Dependency[]>,
): Map<PlanOp, number> {
  const phases = new Map<PlanOp, number>();
  for (const op of ops) {
    const earliest = dependencies.get(op)!.map((needed) => phases.get(needed.op)! + distance(needed));
    phases.set(op, Math.max(0, ...earliest));
  }
  const latest = new Map<PlanOp, number>();
  for (const op of [...ops].reverse()) {
    // Without users, as for a gradient, the earliest phase is also where its operands are in the cache.
    phases.set(op, Math.max(phases.get(op)!, latest.get(op) ?? 0));
    for (const needed of dependencies.get(op)!) {
      const limit = phases.get(op)! - distance(needed);
      latest.set(needed.op, Math.min(latest.get(needed.op) ?? Infinity, limit));
    }
  }
  return phases;
}

function distance({ isLocal }: Dependency): 0 | 1 {
  return isLocal ? 0 : 1;
}

/** Operations that run on the same items in one phase; for tasks, a single one. */
export interface Job {
  readonly ops: PlanOp[];
}

/** Jobs of each phase, in the order in which their tasks begin. */
export function jobsOf(ops: readonly PlanOp[], phases: ReadonlyMap<PlanOp, number>): Job[][] {
  const result: Job[][] = [];
  const shared = new Map<string, Job>();
  for (const op of ops) {
    const [phase, { kind }] = [phases.get(op)!, gridOf(op)];
    const jobs = (result[phase] ??= []);
    const key = `${phase}:${kind}`;
    const job = kind === 'tasks' ? undefined : shared.get(key);
    if (job) job.ops.push(op);
    else {
      const made = { ops: [op] };
      jobs.push(made);
      shared.set(key, made);
    }
  }
  return result.map((jobs) => jobs ?? []);
}

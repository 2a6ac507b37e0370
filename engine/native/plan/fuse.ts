import type { Dependency } from './dependencies.js';
import { ElementwiseGroup } from './elementwise-group.js';
import { type ElementwiseStep, isSameElement, type KernelOp, type PlanOp } from './plan-op.js';

/** One kernel of a job: a single operation, or a group of elementwise steps. */
export type Fused = KernelOp | ElementwiseGroup;

/**
 * Groups elementwise steps of a job over the same elements, so that values between them stay in registers. Steps are in
 * one group if no other kernel must run between them.
 * @param isReadOutside - true if an operation other than the steps given reads a result.
 */
export function fuse(
  ops: readonly PlanOp[],
  dependencies: ReadonlyMap<PlanOp, readonly Dependency[]>,
  isReadOutside: (step: ElementwiseStep, group: ReadonlySet<PlanOp>) => boolean,
): Fused[] {
  const levels = levelsOf(ops, dependencies);
  const groups = new Map<string, PlanOp[]>();
  ops.forEach((op, i) => {
    const key = op.kind === 'step' ? `${levels.get(op)}:${spaceKey(op)}` : `${levels.get(op)}:kernel ${i}`;
    const group = groups.get(key);
    if (group) group.push(op);
    else groups.set(key, [op]);
  });
  const ordered = [...groups.values()].sort((a, b) => levels.get(a[0]!)! - levels.get(b[0]!)!);
  return ordered.flatMap((group): Fused[] => {
    const [first] = group;
    return first!.kind === 'kernel' ? [first!] : splitGroup(group as ElementwiseStep[], isReadOutside);
  });
}

/**
 * Depth of each operation, where a step may be as deep as the steps that feed its elements. Steps are as deep as their
 * users allow, so that their results go into registers.
 */
function levelsOf(
  ops: readonly PlanOp[],
  dependencies: ReadonlyMap<PlanOp, readonly Dependency[]>,
): Map<PlanOp, number> {
  const here = new Set(ops);
  const neededBy = (op: PlanOp) => dependencies.get(op)!.flatMap((each) => (here.has(each.op) ? [each.op] : []));
  const distance = (from: PlanOp, to: PlanOp) => (isFusible(from, to) ? 0 : 1);
  const levels = new Map<PlanOp, number>();
  for (const op of ops) {
    const depths = neededBy(op).map((from) => levels.get(from)! + distance(from, op));
    levels.set(op, Math.max(0, ...depths));
  }
  const limits = new Map<PlanOp, number>();
  for (const op of [...ops].reverse()) {
    if (op.kind === 'step') levels.set(op, Math.max(levels.get(op)!, limits.get(op) ?? 0));
    for (const from of neededBy(op)) {
      limits.set(from, Math.min(limits.get(from) ?? Infinity, levels.get(op)! - distance(from, op)));
    }
  }
  return levels;
}

function isFusible(from: PlanOp, to: PlanOp): boolean {
  if (from.kind !== 'step' || to.kind !== 'step' || spaceKey(from) !== spaceKey(to)) return false;
  if (from.instruction === 'sum4') return false;
  const reads = to.operands.filter(({ buffer }) => buffer.id === from.result.id);
  return reads.every((operand) => isSameElement(operand, to));
}

function spaceKey({ space: { grid, planes, count } }: ElementwiseStep): string {
  return `${grid.kind} ${grid.items} ${planes} ${count}`;
}

/** As few kernels as the limits of one allow. */
function splitGroup(
  steps: readonly ElementwiseStep[],
  isReadOutside: (step: ElementwiseStep, group: ReadonlySet<PlanOp>) => boolean,
): ElementwiseGroup[] {
  const make = (part: readonly ElementwiseStep[]) => {
    const members = new Set<PlanOp>(part);
    return new ElementwiseGroup(part, (step) => isReadOutside(step, members));
  };
  const groups: ElementwiseGroup[] = [];
  let part: ElementwiseStep[] = [];
  for (const step of steps) {
    if (part.length > 0 && !make([...part, step]).fits) {
      groups.push(make(part));
      part = [];
    }
    part.push(step);
  }
  return [...groups, make(part)];
}

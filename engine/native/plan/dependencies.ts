import { type Access, gridOf, type PlanOp, readsOf, writesOf } from './plan-op.js';

/** An operation that must come before another; `isLocal` if item i of one concerns only item i of the other. */
export interface Dependency {
  readonly op: PlanOp;
  readonly isLocal: boolean;
}

/** Earlier operations that each operation needs: writers of what it reads, and of what it writes in part. */
export function dependenciesOf(ops: readonly PlanOp[]): ReadonlyMap<PlanOp, readonly Dependency[]> {
  const writers = new Map<number, { readonly op: PlanOp; readonly access: Access }[]>();
  const dependencies = new Map<PlanOp, Dependency[]>();
  for (const op of ops) {
    const touched = [...readsOf(op), ...writesOf(op)];
    const needed = touched.flatMap((access) =>
      (writers.get(access.buffer.id) ?? []).map((writer) => ({
        op: writer.op,
        isLocal: isLocal(writer.op, writer.access, op, access),
      })),
    );
    dependencies.set(op, needed);
    for (const access of writesOf(op)) {
      writers.set(access.buffer.id, [...(writers.get(access.buffer.id) ?? []), { op, access }]);
    }
  }
  return dependencies;
}

function isLocal(writer: PlanOp, written: Access, reader: PlanOp, read: Access): boolean {
  const [from, to] = [gridOf(writer), gridOf(reader)];
  const isSame = from.kind === to.kind && from.kind !== 'tasks' && written.buffer.items === read.buffer.items;
  return isSame && written.by === 'item' && read.by === 'item';
}

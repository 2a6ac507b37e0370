import {
  type Access,
  type Arg,
  type Buffer,
  type ElementwiseStep,
  gridOf,
  type KernelOp,
  type PlanOp,
} from './plan-op.js';

/** Longest chain of instructions that is computed again. */
const longest = 4;

/**
 * Computes cheap elementwise values again in later phases that use them, instead of keeping them in memory: values of one
 * full-size operand, which is kept anyway, and of vectors or scalars.
 * @returns the operations with the copies before their users, and their phases.
 */
export function recompute(
  ops: readonly PlanOp[],
  phases: ReadonlyMap<PlanOp, number>,
  results: ReadonlySet<number>,
  newBuffer: (like: Buffer) => Buffer,
): { readonly ops: PlanOp[]; readonly phases: Map<PlanOp, number> } {
  const cheap = cheapSteps(ops, phases, results);
  const made = new Map<string, Buffer>();
  const result: PlanOp[] = [];
  const newPhases = new Map(phases);

  const copyOf = (source: ElementwiseStep, phase: number): number => {
    const key = `${source.result.id}:${phase}`;
    const existing = made.get(key);
    if (existing) return existing.id;
    const operands = source.operands.map((operand) => replaced(operand, phase));
    const result = newBuffer(source.result);
    made.set(key, result);
    add({ ...source, operands, result }, phase);
    return result.id;
  };
  /** The access, to a copy of the value if it was computed in another phase. */
  const replaced = <A extends Access>(access: A, phase: number): A => {
    const source = cheap.get(access.buffer.id);
    if (!source || phases.get(source) === phase) return access;
    return { ...access, buffer: { ...access.buffer, id: copyOf(source, phase) } };
  };
  const add = (op: PlanOp, phase: number) => {
    result.push(op);
    newPhases.set(op, phase);
  };

  for (const op of ops) {
    const phase = phases.get(op)!;
    if (op.kind === 'step') add({ ...op, operands: op.operands.map((operand) => replaced(operand, phase)) }, phase);
    else
      add(
        withReads(
          op,
          op.reads.map((access) => replaced(access, phase)),
        ),
        phase,
      );
  }
  return { ops: result, phases: newPhases };
}

/** The operation with other buffers to read, in its arguments too. */
function withReads(op: KernelOp, reads: readonly Access[]): KernelOp {
  const changed = new Map(op.reads.map(({ buffer }, i) => [buffer.id, reads[i]!.buffer.id]));
  const renamed = (buffer: Buffer) => ({ ...buffer, id: changed.get(buffer.id) ?? buffer.id });
  const args = op.args.map((arg): Arg => {
    if (typeof arg === 'number') return arg;
    return 'at' in arg ? { ...arg, at: renamed(arg.at) } : { strideOf: renamed(arg.strideOf) };
  });
  return { ...op, reads, args };
}

/** Steps that may be computed again, by the id of their result: none that an operation of a later phase needs in memory. */
function cheapSteps(
  ops: readonly PlanOp[],
  phases: ReadonlyMap<PlanOp, number>,
  results: ReadonlySet<number>,
): Map<number, ElementwiseStep> {
  const writers = new Map(ops.flatMap((op) => (op.kind === 'step' ? [[op.result.id, op] as const] : [])));
  const stored = new Set<number>(results);
  for (const op of ops) {
    const accesses = op.kind === 'kernel' ? op.reads : op.operands;
    const operands = accesses.filter((access) => access.by === 'whole' || gridOf(op).kind !== 'image');
    for (const { buffer } of operands) {
      const writer = writers.get(buffer.id);
      if (writer && phases.get(writer) !== phases.get(op)) stored.add(buffer.id);
    }
  }
  const depths = new Map<number, number>();
  const cheap = new Map<number, ElementwiseStep>();
  for (const step of writers.values()) {
    const streams = step.operands.filter(({ kind, by }) => kind === 'stream' && by === 'item');
    const [stream] = streams;
    if (step.space.grid.kind !== 'image' || streams.length !== 1 || !isSimple(step) || stored.has(step.result.id))
      continue;
    const depth = 1 + (depths.get(stream!.buffer.id) ?? 0);
    if (depth > longest || sizeOf(stream!.buffer) > sizeOf(step.result)) continue;
    depths.set(step.result.id, depth);
    cheap.set(step.result.id, step);
  }
  return cheap;
}

const simple: ReadonlySet<ElementwiseStep['instruction']> = new Set([
  ...(['add', 'sub', 'mul', 'maximum', 'minimum', 'abs', 'neg', 'relu', 'step', 'side'] as const),
]);

function isSimple({ instruction }: ElementwiseStep): boolean {
  return simple.has(instruction);
}

function sizeOf({ words, items }: Buffer): number {
  return words * items;
}

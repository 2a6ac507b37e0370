import type { Buffer, ElementwiseStep, Operand, PlanOp } from './plan-op.js';

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
  newBuffer: (like: Buffer) => Buffer,
): { readonly ops: PlanOp[]; readonly phases: Map<PlanOp, number> } {
  const cheap = cheapSteps(ops, phases);
  const made = new Map<string, Buffer>();
  const result: PlanOp[] = [];
  const newPhases = new Map(phases);

  const copyFor = (operand: Operand, phase: number): Operand => {
    const source = cheap.get(operand.buffer.id);
    if (!source || phases.get(source) === phase) return operand;
    const key = `${source.result.id}:${phase}`;
    let buffer = made.get(key);
    if (!buffer) {
      const operands = source.operands.map((each) => copyFor(each, phase));
      buffer = newBuffer(source.result);
      made.set(key, buffer);
      const copy = { ...source, operands, result: buffer };
      result.push(copy);
      newPhases.set(copy, phase);
    }
    return { ...operand, buffer: { ...operand.buffer, id: buffer.id } };
  };

  for (const op of ops) {
    if (op.kind === 'kernel') {
      result.push(op);
      continue;
    }
    const phase = phases.get(op)!;
    const changed = { ...op, operands: op.operands.map((operand) => copyFor(operand, phase)) };
    result.push(changed);
    newPhases.set(changed, phase);
  }
  return { ops: result, phases: newPhases };
}

/** Steps that may be computed again, by the id of their result: none that an operation of a later phase needs in memory. */
function cheapSteps(ops: readonly PlanOp[], phases: ReadonlyMap<PlanOp, number>): Map<number, ElementwiseStep> {
  const writers = new Map(ops.flatMap((op) => (op.kind === 'step' ? [[op.result.id, op] as const] : [])));
  const stored = new Set<number>();
  for (const op of ops) {
    const operands = op.kind === 'kernel' ? op.reads : op.operands.filter(({ by, kind }) => by === 'whole' || kind !== 'stream');
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
    if (step.space.grid.kind !== 'image' || streams.length !== 1 || !isSimple(step) || stored.has(step.result.id)) continue;
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

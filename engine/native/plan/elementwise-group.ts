import { elementwiseLimits, instruction, op, operandKind, sinkKind } from './opcodes.js';
import { type Access, type Arg, type ElementwiseStep, isSameElement, type Iteration, type Operand } from './plan-op.js';

/** Index of a value in an instruction: an operand, or a register. */
type Source = { readonly operand: number } | { readonly register: number };

interface Sink {
  readonly kind: keyof typeof sinkKind;
  readonly source: Source;
  readonly step: ElementwiseStep;
}

interface Instruction {
  readonly step: ElementwiseStep;
  readonly register: number;
  readonly sources: readonly Source[];
}

/** Elementwise steps that run as one kernel: values between them are in registers. */
export class ElementwiseGroup {
  readonly kind = 'group';
  readonly code = op.elementwise;
  readonly space: Iteration;
  private readonly operands: Operand[] = [];
  private readonly instructions: Instruction[] = [];
  private readonly sinks: Sink[] = [];
  private readonly registers = new Map<number, number>();
  private readonly free: number[] = [];
  private registerCount = 0;

  /** @param isStored - true if a step's result is read outside of the group. */
  constructor(
    readonly steps: readonly ElementwiseStep[],
    isStored: (step: ElementwiseStep) => boolean,
  ) {
    this.space = steps[0]!.space;
    const lastUses = lastUsesOf(steps, isStored);
    steps.forEach((step, i) => this.add(step, i, lastUses, isStored(step)));
  }

  /** True if the kernel's limits allow the group. */
  get fits(): boolean {
    const { operands, registers, instructions, sinks } = elementwiseLimits;
    return (
      this.operands.length <= operands &&
      this.registerCount <= registers &&
      this.instructions.length <= instructions &&
      this.sinks.length <= sinks
    );
  }

  get grid() {
    return this.space.grid;
  }

  get reads(): readonly Access[] {
    return this.operands;
  }

  get writes(): readonly Access[] {
    return this.sinks.map(({ step }) => ({ buffer: step.result, by: 'item' }));
  }

  /** Arguments in the order of OP_ELEMENTWISE. */
  get args(): readonly Arg[] {
    const { planes, count } = this.space;
    const counts = [this.operands.length, this.instructions.length, this.sinks.length, this.registerCount];
    return [
      ...[planes, count, ...counts],
      ...this.operands.flatMap(({ kind, buffer, by, plane }): Arg[] => {
        return [operandKind[kind], { at: buffer }, by === 'item' ? { strideOf: buffer } : 0, plane];
      }),
      ...this.instructions.flatMap((each) => this.instructionArgs(each)),
      ...this.sinks.flatMap(({ kind, source, step }): Arg[] => {
        const plane = kind === 'sum4' ? 16 : count;
        return [sinkKind[kind], this.indexOf(source), { at: step.result }, { strideOf: step.result }, plane];
      }),
    ];
  }

  private add(step: ElementwiseStep, i: number, lastUses: ReadonlyMap<number, number>, isStored: boolean): void {
    const sources = step.operands.map((operand) => this.sourceOf(operand, step));
    if (step.instruction === 'sum4') {
      this.sinks.push({ kind: 'sum4', source: sources[0]!, step });
      return;
    }
    for (const id of new Set(step.operands.map(({ buffer }) => buffer.id))) {
      const register = this.registers.get(id);
      if (register !== undefined && lastUses.get(id) === i) this.free.push(register);
    }
    const { id } = step.result;
    // Instructions work element by element, so a result may take the register of an operand.
    const register = this.free.pop() ?? this.registerCount++;
    this.registers.set(id, register);
    this.instructions.push({ step, register, sources });
    if (isStored) this.sinks.push({ kind: 'store', source: { register }, step });
  }

  private sourceOf(operand: Operand, step: ElementwiseStep): Source {
    const register = this.registers.get(operand.buffer.id);
    if (register !== undefined && isSameElement(operand, step)) return { register };
    const existing = this.operands.findIndex((each) => isEqual(each, operand));
    if (existing >= 0) return { operand: existing };
    this.operands.push(operand);
    return { operand: this.operands.length - 1 };
  }

  private indexOf(source: Source): number {
    return 'operand' in source ? source.operand : this.operands.length + source.register;
  }

  private instructionArgs({ step, register, sources }: Instruction): number[] {
    const [a, b = 0, c = 0] = sources.map((source) => this.indexOf(source));
    return [instruction[step.instruction as keyof typeof instruction], register, a!, b, c];
  }
}

function isEqual(a: Operand, b: Operand): boolean {
  return a.kind === b.kind && a.buffer.id === b.buffer.id && a.by === b.by && a.plane === b.plane;
}

/** Index of the last step that reads each result; none for those that a sink reads, which is after all steps. */
function lastUsesOf(
  steps: readonly ElementwiseStep[],
  isStored: (step: ElementwiseStep) => boolean,
): Map<number, number> {
  const uses = new Map<number, number>();
  steps.forEach(({ operands }, i) => operands.forEach(({ buffer }) => uses.set(buffer.id, i)));
  for (const step of steps) {
    if (step.instruction === 'sum4') uses.delete(step.operands[0]!.buffer.id);
    else if (isStored(step)) uses.delete(step.result.id);
  }
  return uses;
}

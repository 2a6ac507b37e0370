import { arithmeticVersion, op, operandKind, planMagic, sinkKind, type Space, spaces } from '../plan/opcodes.js';

/** Words of the inputs that every operation reads from its start, and images' bytes. */
export const inputWords = 16384;
const spaceStep = 2 ** 40;

/** A plan in which every operation writes results of its own; all begin with the inputs' first words. */
export class SelfTestPlan {
  private readonly phases: number[] = [];
  private count = 0;
  private words = 0;

  /** Address of word `word` of the inputs. */
  input(word = 0): number {
    return spaces.indexOf('params') * spaceStep + 4 * word;
  }

  /** Positive numbers: the second half of the inputs. */
  positive(): number {
    return this.input(inputWords / 2);
  }

  bytes(): number {
    return spaces.indexOf('images') * spaceStep;
  }

  integers(): number {
    return spaces.indexOf('labels') * spaceStep;
  }

  /** Address of new results. */
  output(words: number): number {
    const address = spaces.indexOf('outA') * spaceStep + 4 * this.words;
    this.words += words;
    return address;
  }

  /** Adds a phase of one operation; `chunk` items are a task. */
  add(code: number, items: number, args: readonly number[], chunk = 1): void {
    this.phases.push(1, items, chunk, 1, code, args.length + 1, items, ...args);
    this.count++;
  }

  get outputWords(): number {
    return this.words;
  }

  build(): Float64Array {
    const sizes: Partial<Record<Space, number>> = {
      params: 4 * inputWords,
      images: inputWords,
      labels: 4 * inputWords,
      outA: 4 * this.words,
    };
    const header = [
      planMagic,
      arithmeticVersion,
      spaces.length,
      ...spaces.map((space) => sizes[space] ?? 0),
      this.count,
    ];
    return Float64Array.from([...header, ...this.phases]);
  }
}

/** Every elementwise instruction on numbers of any sign, positive ones and integers: 2 items of 2 planes of 37. */
export function addInstructions(plan: SelfTestPlan, codes: Readonly<Record<string, number>>): void {
  const count = 37;
  const operands = [
    ...[operandKind.stream, plan.input(), 80, 38],
    ...[operandKind.stream, plan.positive(), 90, 40],
    ...[operandKind.stream, plan.integers(), 76, 37],
    ...[operandKind.stream, plan.integers() + 16, 90, 2],
  ];
  for (const [name, code] of Object.entries(codes)) {
    const [a, b] = sourcesOf(name);
    const sink = [sinkKind.store, operands.length / 4, plan.output(4 * count), 2 * count, count];
    plan.add(op.elementwise, 2, [2, count, operands.length / 4, 1, 1, 1, ...operands, code, 0, a, b, 1, ...sink]);
  }
}

/** Operands that give no NaN, whose bits aren't specified. */
function sourcesOf(name: string): readonly [number, number] {
  if (/^i[A-Z]/.test(name) || ['toFloat', 'and', 'or', 'not'].includes(name)) return [2, 3];
  return ['log', 'sqrt', 'rsqrt', 'pow'].includes(name) ? [1, 0] : [0, 1];
}

/** All kinds of operands and sinks, over more than one tile and one segment. */
export function addSinks(plan: SelfTestPlan, codes: Readonly<Record<string, number>>): void {
  const count = 16 * 70 + 5;
  const operands = [
    ...[operandKind.stream, plan.input(), count, 0],
    ...[operandKind.vector, plan.input(100), 0, 16],
    ...[operandKind.scalar, plan.input(200), 1, 1],
    ...[operandKind.bytes, plan.bytes(), 5, 7],
  ];
  const [stream, vector, scalar, bytes, first, second] = [0, 1, 2, 3, 4, 5];
  const instructions = [
    ...[codes.toFloat!, 0, bytes, 0, 0],
    ...[codes.mul!, 0, stream, first, 0],
    ...[codes.add!, 1, vector, scalar, 0],
    ...[codes.mul!, 0, first, second, 0],
  ];
  const sinks = sinkKinds.flatMap(({ kind, integer, words }) => {
    const width = words === 0 ? count : words;
    return [kind, integer ? bytes : first, plan.output(4 * width), 2 * width, width];
  });
  plan.add(op.elementwise, 2, [2, count, 4, 4, sinkKinds.length, 2, ...operands, ...instructions, ...sinks]);
}

/** Sinks of plan.h: results per plane, 0 for one of each element. */
const sinkKinds = [
  { kind: 0, integer: false, words: 0 },
  { kind: 1, integer: false, words: 16 },
  { kind: 2, integer: false, words: 1 },
  { kind: 3, integer: false, words: 1 },
  { kind: 4, integer: false, words: 1 },
  { kind: 5, integer: true, words: 1 },
  { kind: 6, integer: false, words: 1 },
] as const;

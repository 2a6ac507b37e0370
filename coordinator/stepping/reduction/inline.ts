import type { TrainingState } from '../../../job/digest.js';
import type { TreeNode } from '../../../job/tree.js';
import { CHUNK_VALUES } from '../../../proto/chunks.js';
import {
  Accumulator,
  type AccumulatorSetup,
  type ShardOutcome,
  type StepOutcome,
  type StepPlanned,
} from './accumulator.js';
import type { Arithmetic, ArithmeticEvents } from './arithmetic.js';

/** Arithmetic in the thread that calls it. */
export class InlineArithmetic implements Arithmetic {
  readonly #accumulator: Accumulator;
  /** Memory for chunks. That of a step is free when the next one begins. */
  readonly #free: Float32Array[] = [];
  #used: Float32Array[] = [];

  constructor(
    setup: AccumulatorSetup,
    private readonly events: ArithmeticEvents,
  ) {
    this.#accumulator = new Accumulator(setup);
  }

  begin(planned: StepPlanned): void {
    this.#free.push(...this.#used);
    this.#used = [];
    this.#accumulator.begin(planned);
  }

  addChunk(step: number, node: TreeNode, chunk: number, data: Uint8Array): void {
    const memory = this.#free.pop() ?? new Float32Array(CHUNK_VALUES);
    this.#used.push(memory);
    new Uint8Array(memory.buffer).set(data);
    this.#report(this.#accumulator.addChunk(step, node, chunk, memory.subarray(0, data.byteLength / 4)));
  }

  addOutcome(step: number, outcome: ShardOutcome): void {
    this.#report(this.#accumulator.addOutcome(step, outcome));
  }

  async snapshot(step: number): Promise<TrainingState> {
    return Promise.resolve(this.#accumulator.snapshot(step));
  }

  async copyState(into: Float32Array): Promise<number> {
    const begin = performance.now();
    this.#accumulator.copyState(into);
    return Promise.resolve(performance.now() - begin);
  }

  async digest(step: number): Promise<string> {
    return Promise.resolve(this.#accumulator.digest(step));
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }

  #report(outcome: StepOutcome | undefined): void {
    if (outcome) queueMicrotask(() => this.events.onStep(outcome));
  }
}

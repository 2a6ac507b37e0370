import type { TrainingState } from '../../../job/digest.js';
import type { TreeNode } from '../../../job/tree.js';
import { plainVectors } from '../../../job/vectors.js';
import { CHUNK_VALUES } from '../../../proto/chunks.js';
import type { ShardReport } from '../../../proto/messages.js';
import { Accumulator, type AccumulatorSetup, type StepOutcome, type StepUpdate } from './accumulator.js';
import type { Arithmetic, ArithmeticEvents } from './arithmetic.js';

/** Arithmetic in the calling thread. */
export class InlineArithmetic implements Arithmetic {
  readonly #accumulator: Accumulator;
  /** Buffers for chunks; those of a step are free when the next step begins. */
  readonly #free: Float32Array[] = [];
  #used: Float32Array[] = [];

  constructor(
    setup: AccumulatorSetup,
    private readonly events: ArithmeticEvents,
    vectors = plainVectors,
  ) {
    this.#accumulator = new Accumulator(setup, vectors);
  }

  begin(update: StepUpdate): void {
    this.#free.push(...this.#used);
    this.#used = [];
    this.#accumulator.begin(update);
  }

  addChunk(step: number, node: TreeNode, chunk: number, data: Uint8Array): void {
    const memory = this.#free.pop() ?? new Float32Array(CHUNK_VALUES);
    this.#used.push(memory);
    new Uint8Array(memory.buffer).set(data);
    this.#report(this.#accumulator.addChunk(step, node, chunk, memory.subarray(0, data.byteLength / 4)));
  }

  addReport(step: number, report: ShardReport): void {
    this.#report(this.#accumulator.addReport(step, { ...report, statistics: new Uint8Array(report.statistics) }));
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

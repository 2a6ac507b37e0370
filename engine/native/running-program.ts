import type { EvaluateResult, ProgramInput, ProgramSpec, TrainResult } from '../engine.js';
import { disposedError } from '../errors.js';
import type { NativeProgram } from './load/native.js';

const nothing = new Float32Array(0);
const noScores = new Uint32Array(0);

/** Lengths of a program's inputs and outputs that its plan doesn't tell. */
export interface ProgramSizes {
  readonly parameterCount: number;
  readonly stateCount: number;
  readonly masks: readonly { readonly size: number }[];
}

/** A program of the kernels' runner with memory for the inputs and outputs that aren't the caller's. */
export class RunningProgram {
  private readonly masks: Float32Array;
  /** Labels of an evaluation, which doesn't read them. */
  private readonly noLabels: Int32Array;
  private isDisposed = false;

  constructor(
    private readonly program: NativeProgram,
    private readonly spec: Pick<ProgramSpec, 'batch' | 'classes'>,
    private readonly sizes: ProgramSizes,
  ) {
    this.masks = new Float32Array(sizes.masks.reduce((sum, { size }) => sum + size, 0));
    this.noLabels = new Int32Array(spec.batch);
  }

  /** @throws EngineError DISPOSED after `dispose`. */
  check(): void {
    if (this.isDisposed) throw disposedError();
  }

  /** @param input - checked by the caller. */
  train({ params, images, labels, masks = [] }: ProgramInput): TrainResult {
    const { parameterCount, stateCount } = this.sizes;
    const gradient = new Float32Array(parameterCount);
    const statistics = new Float32Array(stateCount);
    const scores = new Uint32Array(2);
    masks.reduce((offset, mask) => (this.masks.set(mask, offset), offset + mask.length), 0);
    this.program.run([params, nothing, images, labels, this.masks, gradient, statistics, scores]);
    return { gradient, statistics, lossSum: new Float32Array(scores.buffer)[0]!, correct: scores[1]! };
  }

  /** @param input - checked by the caller. */
  evaluate({ params, state, images }: ProgramInput): EvaluateResult {
    const logProbabilities = new Float32Array(this.spec.batch * this.spec.classes);
    const used = this.sizes.stateCount > 0 ? state : nothing;
    this.program.run([params, used, images, this.noLabels, nothing, logProbabilities, nothing, noScores]);
    return { logProbabilities };
  }

  setThreads(threads: number): void {
    this.program.setThreads(threads);
  }

  dispose(): Promise<void> {
    if (!this.isDisposed) this.program.dispose();
    this.isDisposed = true;
    return Promise.resolve();
  }
}

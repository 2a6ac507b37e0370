import type { TrainingState } from '../../../job/digest.js';
import type { TreeNode } from '../../../job/tree.js';
import type { ShardOutcome, StepOutcome, StepPlanned } from './accumulator.js';

/** The coordinator's arithmetic as the network thread calls it: an accumulator, there or in a thread of its own. */
export interface Arithmetic {
  begin(planned: StepPlanned): void;
  /** Hands over one chunk of a partial; the bytes are copied. */
  addChunk(step: number, node: TreeNode, chunk: number, data: Uint8Array): void;
  addOutcome(step: number, outcome: ShardOutcome): void;
  /** Copies of all that training changes, after `step` updates. Ask between steps only. */
  snapshot(step: number): Promise<TrainingState>;
  /**
   * Copies the same into a shared vector, before anything that is asked afterwards is done; so a step may begin at once.
   * @returns how long the copying took, in ms.
   */
  copyState(into: Float32Array): Promise<number>;
  /** SHA-256 over the same. */
  digest(step: number): Promise<string>;
  close(): Promise<void>;
}

export interface ArithmeticEvents {
  /** Called once per step that was begun and not replaced, never from within a call. */
  readonly onStep: (outcome: StepOutcome) => void;
  readonly onError: (error: Error) => void;
}

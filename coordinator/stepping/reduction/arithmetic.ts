import type { TrainingState } from '../../../job/digest.js';
import type { TreeNode } from '../../../job/tree.js';
import type { ShardReport } from '../../../proto/messages.js';
import type { StepOutcome, StepUpdate } from './accumulator.js';

/** The coordinator's arithmetic as the network thread calls it: an accumulator in that thread or in one of its own. */
export interface Arithmetic {
  begin(update: StepUpdate): void;
  /** Adds one chunk of a partial; the bytes are copied. */
  addChunk(step: number, node: TreeNode, chunk: number, data: Uint8Array): void;
  /** Adds a shard's report; its statistics are copied. */
  addReport(step: number, report: ShardReport): void;
  /** Copies of everything that training changes, after `step` updates. Call it between steps only. */
  snapshot(step: number): Promise<TrainingState>;
  /**
   * Copies that state into a shared vector before any later call takes effect, so the next step may begin at once.
   * @returns the time spent copying, in ms.
   */
  copyState(into: Float32Array): Promise<number>;
  /** SHA-256 over that state. */
  digest(step: number): Promise<string>;
  close(): Promise<void>;
}

export interface ArithmeticEvents {
  /** Called once per step that was begun and not replaced, never during a call. */
  readonly onStep: (outcome: StepOutcome) => void;
  readonly onError: (error: Error) => void;
}

// Original file: proto/lockstep/v1/control.proto


export interface EvaluationPointInput {
  'epoch'?: (number);
  /**
   * Committed updates.
   */
  'step'?: (number);
  /**
   * Average loss on the test set.
   */
  'loss'?: (number | string);
  /**
   * Share of test images classified correctly, 0 to 1.
   */
  'accuracy'?: (number | string);
}

export interface EvaluationPoint {
  'epoch': (number);
  /**
   * Committed updates.
   */
  'step': (number);
  /**
   * Average loss on the test set.
   */
  'loss': (number);
  /**
   * Share of test images classified correctly, 0 to 1.
   */
  'accuracy': (number);
}

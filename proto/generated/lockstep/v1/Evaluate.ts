// Original file: proto/lockstep/v1/cluster.proto


/**
 * Compute log-softmax rows for these batches of the test set. Parameters follow, with the running statistics appended.
 */
export interface EvaluateInput {
  'term'?: (number);
  /**
   * Committed updates; with term it names the evaluation.
   */
  'step'?: (number);
  'batches'?: (number)[];
}

/**
 * Compute log-softmax rows for these batches of the test set. Parameters follow, with the running statistics appended.
 */
export interface Evaluate {
  'term': (number);
  /**
   * Committed updates; with term it names the evaluation.
   */
  'step': (number);
  'batches': (number)[];
}

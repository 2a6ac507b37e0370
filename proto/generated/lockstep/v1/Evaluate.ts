// Original file: proto/lockstep/v1/cluster.proto


/**
 * Compute log-softmax rows of these batches of the test set. Parameters follow, with the running statistics appended.
 */
export interface EvaluateInput {
  'term'?: (number);
  /**
   * Committed updates. Term and step identify the evaluation.
   */
  'step'?: (number);
  /**
   * Indices of batches.
   */
  'batches'?: (number)[];
}

/**
 * Compute log-softmax rows of these batches of the test set. Parameters follow, with the running statistics appended.
 */
export interface Evaluate {
  'term': (number);
  /**
   * Committed updates. Term and step identify the evaluation.
   */
  'step': (number);
  /**
   * Indices of batches.
   */
  'batches': (number)[];
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * Which shards the worker is to hold; it fetches those it lacks and answers with Holding as they arrive.
 */
export interface AssignmentInput {
  /**
   * Number of reassignments of shards.
   */
  'generation'?: (number);
  /**
   * Shards whose data the worker should hold, most urgent first: those that it computes, then those that it may compute
   * as a backup.
   */
  'shards'?: (number)[];
  /**
   * Evaluation batches whose images the worker should hold.
   */
  'evaluationBatches'?: (number)[];
}

/**
 * Which shards the worker is to hold; it fetches those it lacks and answers with Holding as they arrive.
 */
export interface Assignment {
  /**
   * Number of reassignments of shards.
   */
  'generation': (number);
  /**
   * Shards whose data the worker should hold, most urgent first: those that it computes, then those that it may compute
   * as a backup.
   */
  'shards': (number)[];
  /**
   * Evaluation batches whose images the worker should hold.
   */
  'evaluationBatches': (number)[];
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * Shards that the worker must hold. It fetches those it lacks, and sends Holding as they arrive.
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
 * Shards that the worker must hold. It fetches those it lacks, and sends Holding as they arrive.
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

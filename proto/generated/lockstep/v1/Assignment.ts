// Original file: proto/lockstep/v1/cluster.proto


/**
 * Which shards the worker is to hold; it fetches those it lacks and answers with Holding as they arrive.
 */
export interface AssignmentInput {
  /**
   * Counts the changes of who computes what.
   */
  'generation'?: (number);
  /**
   * Shards the worker is to hold, most urgent first: those it will compute, or stands by for.
   */
  'shards'?: (number)[];
  /**
   * Evaluation batches whose images it will need.
   */
  'evaluationBatches'?: (number)[];
}

/**
 * Which shards the worker is to hold; it fetches those it lacks and answers with Holding as they arrive.
 */
export interface Assignment {
  /**
   * Counts the changes of who computes what.
   */
  'generation': (number);
  /**
   * Shards the worker is to hold, most urgent first: those it will compute, or stands by for.
   */
  'shards': (number)[];
  /**
   * Evaluation batches whose images it will need.
   */
  'evaluationBatches': (number)[];
}

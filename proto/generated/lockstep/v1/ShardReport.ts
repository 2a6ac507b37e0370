// Original file: proto/lockstep/v1/cluster.proto


/**
 * Loss, accuracy and batch statistics of one shard's samples.
 */
export interface ShardReportInput {
  'shard'?: (number);
  /**
   * Number of samples in this step.
   */
  'samples'?: (number);
  /**
   * Sum of the samples' losses.
   */
  'lossSum'?: (number | string);
  /**
   * Number of samples classified correctly.
   */
  'correct'?: (number);
  /**
   * Batch statistics, f32 little-endian, in the order of the model's running statistics.
   */
  'statistics'?: (Buffer | Uint8Array | string);
  /**
   * Time that the engine computed this shard, in milliseconds.
   */
  'computeMs'?: (number | string);
}

/**
 * Loss, accuracy and batch statistics of one shard's samples.
 */
export interface ShardReport {
  'shard': (number);
  /**
   * Number of samples in this step.
   */
  'samples': (number);
  /**
   * Sum of the samples' losses.
   */
  'lossSum': (number);
  /**
   * Number of samples classified correctly.
   */
  'correct': (number);
  /**
   * Batch statistics, f32 little-endian, in the order of the model's running statistics.
   */
  'statistics': (Uint8Array);
  /**
   * Time that the engine computed this shard, in milliseconds.
   */
  'computeMs': (number);
}

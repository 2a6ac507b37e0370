// Original file: proto/lockstep/v1/cluster.proto


/**
 * What a shard's samples gave besides the gradient.
 */
export interface ShardReportInput {
  'shard'?: (number);
  'samples'?: (number);
  /**
   * Sum of the samples' losses.
   */
  'lossSum'?: (number | string);
  /**
   * Samples classified correctly.
   */
  'correct'?: (number);
  /**
   * Batch statistics, f32 little-endian, in the order of the model's running statistics.
   */
  'statistics'?: (Buffer | Uint8Array | string);
  /**
   * Time the engine computed on this shard, in milliseconds.
   */
  'computeMs'?: (number | string);
}

/**
 * What a shard's samples gave besides the gradient.
 */
export interface ShardReport {
  'shard': (number);
  'samples': (number);
  /**
   * Sum of the samples' losses.
   */
  'lossSum': (number);
  /**
   * Samples classified correctly.
   */
  'correct': (number);
  /**
   * Batch statistics, f32 little-endian, in the order of the model's running statistics.
   */
  'statistics': (Uint8Array);
  /**
   * Time the engine computed on this shard, in milliseconds.
   */
  'computeMs': (number);
}

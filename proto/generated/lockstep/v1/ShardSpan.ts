// Original file: proto/lockstep/v1/cluster.proto


/**
 * Time in which the engine computed a shard, including the gathering and augmentation of its images.
 */
export interface ShardSpanInput {
  'shard'?: (number);
  'beginMs'?: (number | string);
  'endMs'?: (number | string);
}

/**
 * Time in which the engine computed a shard, including the gathering and augmentation of its images.
 */
export interface ShardSpan {
  'shard': (number);
  'beginMs': (number);
  'endMs': (number);
}

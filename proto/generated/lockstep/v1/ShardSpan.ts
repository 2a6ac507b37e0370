// Original file: proto/lockstep/v1/cluster.proto


/**
 * When the engine computed on a shard, gathering and augmenting of its images included.
 */
export interface ShardSpanInput {
  'shard'?: (number);
  'beginMs'?: (number | string);
  'endMs'?: (number | string);
}

/**
 * When the engine computed on a shard, gathering and augmenting of its images included.
 */
export interface ShardSpan {
  'shard': (number);
  'beginMs': (number);
  'endMs': (number);
}

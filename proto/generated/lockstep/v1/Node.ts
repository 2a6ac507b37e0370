// Original file: proto/lockstep/v1/cluster.proto


/**
 * A node of the reduction tree, which covers the shards first to first + count - 1.
 */
export interface NodeInput {
  'first'?: (number);
  'count'?: (number);
}

/**
 * A node of the reduction tree, which covers the shards first to first + count - 1.
 */
export interface Node {
  'first': (number);
  'count': (number);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * All shards whose data the worker now holds.
 */
export interface HoldingInput {
  'shards'?: (number)[];
}

/**
 * All shards whose data the worker now holds.
 */
export interface Holding {
  'shards': (number)[];
}

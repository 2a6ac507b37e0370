// Original file: proto/lockstep/v1/cluster.proto


/**
 * Shards whose data the worker holds.
 */
export interface HoldingInput {
  /**
   * All of them, in any order.
   */
  'shards'?: (number)[];
}

/**
 * Shards whose data the worker holds.
 */
export interface Holding {
  /**
   * All of them, in any order.
   */
  'shards': (number)[];
}

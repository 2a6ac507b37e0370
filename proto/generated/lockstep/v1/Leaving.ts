// Original file: proto/lockstep/v1/cluster.proto


/**
 * The worker was asked to stop. Its shards can be reassigned immediately.
 */
export interface LeavingInput {
  /**
   * In words, e.g. "SIGTERM".
   */
  'reason'?: (string);
}

/**
 * The worker was asked to stop. Its shards can be reassigned immediately.
 */
export interface Leaving {
  /**
   * In words, e.g. "SIGTERM".
   */
  'reason': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * The worker stops because it was told to; its shards are free at once.
 */
export interface LeavingInput {
  'reason'?: (string);
}

/**
 * The worker stops because it was told to; its shards are free at once.
 */
export interface Leaving {
  'reason': (string);
}

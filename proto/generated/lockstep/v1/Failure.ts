// Original file: proto/lockstep/v1/cluster.proto


/**
 * The worker cannot go on; it ends after this.
 */
export interface FailureInput {
  /**
   * A ClusterError code.
   */
  'code'?: (string);
  'message'?: (string);
}

/**
 * The worker cannot go on; it ends after this.
 */
export interface Failure {
  /**
   * A ClusterError code.
   */
  'code': (string);
  'message': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * The worker has failed, and ends after this message.
 */
export interface FailureInput {
  /**
   * Code of a ClusterError: see proto/errors.ts.
   */
  'code'?: (string);
  /**
   * Its message.
   */
  'message'?: (string);
}

/**
 * The worker has failed, and ends after this message.
 */
export interface Failure {
  /**
   * Code of a ClusterError: see proto/errors.ts.
   */
  'code': (string);
  /**
   * Its message.
   */
  'message': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * The run is over; the worker ends.
 */
export interface FinishInput {
  /**
   * In words.
   */
  'reason'?: (string);
}

/**
 * The run is over; the worker ends.
 */
export interface Finish {
  /**
   * In words.
   */
  'reason': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * The job is over; the worker ends.
 */
export interface FinishInput {
  'reason'?: (string);
}

/**
 * The job is over; the worker ends.
 */
export interface Finish {
  'reason': (string);
}

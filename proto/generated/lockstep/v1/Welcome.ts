// Original file: proto/lockstep/v1/cluster.proto


/**
 * The job. Sent once per session.
 */
export interface WelcomeInput {
  /**
   * Job manifest as JSON (see job/manifest.ts): spec, model topology, chunks of the dataset by content digest.
   */
  'jobJson'?: (string);
  /**
   * Number of starts of the coordinator on this run, from 1.
   */
  'term'?: (number);
  /**
   * Interval of the worker's heartbeats on Beat, in milliseconds.
   */
  'heartbeatMs'?: (number);
}

/**
 * The job. Sent once per session.
 */
export interface Welcome {
  /**
   * Job manifest as JSON (see job/manifest.ts): spec, model topology, chunks of the dataset by content digest.
   */
  'jobJson': (string);
  /**
   * Number of starts of the coordinator on this run, from 1.
   */
  'term': (number);
  /**
   * Interval of the worker's heartbeats on Beat, in milliseconds.
   */
  'heartbeatMs': (number);
}

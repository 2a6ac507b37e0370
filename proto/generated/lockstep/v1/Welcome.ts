// Original file: proto/lockstep/v1/cluster.proto


/**
 * The job, once per session.
 */
export interface WelcomeInput {
  /**
   * Job manifest as JSON (see job/manifest.ts): spec, model topology, parts of the dataset by content digest.
   */
  'jobJson'?: (string);
  /**
   * Counts the coordinator's starts on this run.
   */
  'term'?: (number);
  /**
   * The worker sends a heartbeat this often, in milliseconds.
   */
  'heartbeatMs'?: (number);
}

/**
 * The job, once per session.
 */
export interface Welcome {
  /**
   * Job manifest as JSON (see job/manifest.ts): spec, model topology, parts of the dataset by content digest.
   */
  'jobJson': (string);
  /**
   * Counts the coordinator's starts on this run.
   */
  'term': (number);
  /**
   * The worker sends a heartbeat this often, in milliseconds.
   */
  'heartbeatMs': (number);
}

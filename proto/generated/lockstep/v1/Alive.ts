// Original file: proto/lockstep/v1/cluster.proto


/**
 * The coordinator's reply to a heartbeat.
 */
export interface AliveInput {
  /**
   * Heartbeat.sent_ms of the heartbeat that this message answers.
   */
  'sentMs'?: (number | string);
  /**
   * True if the worker had joined when that heartbeat arrived. A worker whose session has ended joins again.
   */
  'joined'?: (boolean);
}

/**
 * The coordinator's reply to a heartbeat.
 */
export interface Alive {
  /**
   * Heartbeat.sent_ms of the heartbeat that this message answers.
   */
  'sentMs': (number);
  /**
   * True if the worker had joined when that heartbeat arrived. A worker whose session has ended joins again.
   */
  'joined': (boolean);
}

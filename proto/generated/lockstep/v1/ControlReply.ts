// Original file: proto/lockstep/v1/control.proto


/**
 * Outcome of a request.
 */
export interface ControlReplyInput {
  /**
   * Committed updates.
   */
  'step'?: (number);
  /**
   * As in StatusReply.
   */
  'state'?: (string);
  /**
   * Outcome in words.
   */
  'message'?: (string);
}

/**
 * Outcome of a request.
 */
export interface ControlReply {
  /**
   * Committed updates.
   */
  'step': (number);
  /**
   * As in StatusReply.
   */
  'state': (string);
  /**
   * Outcome in words.
   */
  'message': (string);
}

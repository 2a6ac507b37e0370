// Original file: proto/lockstep/v1/control.proto


/**
 * What came of a request.
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
   * In words.
   */
  'message'?: (string);
}

/**
 * What came of a request.
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
   * In words.
   */
  'message': (string);
}

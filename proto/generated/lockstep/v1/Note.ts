// Original file: proto/lockstep/v1/control.proto


export interface NoteInput {
  /**
   * Milliseconds since 1970, by the coordinator's clock.
   */
  'timeMs'?: (number | string);
  /**
   * In words, one line.
   */
  'text'?: (string);
}

export interface Note {
  /**
   * Milliseconds since 1970, by the coordinator's clock.
   */
  'timeMs': (number);
  /**
   * In words, one line.
   */
  'text': (string);
}

// Original file: proto/lockstep/v1/control.proto


export interface NoteInput {
  /**
   * Time of the event, in milliseconds since 1970, by the coordinator's clock.
   */
  'timeMs'?: (number | string);
  /**
   * One line of text.
   */
  'text'?: (string);
}

export interface Note {
  /**
   * Time of the event, in milliseconds since 1970, by the coordinator's clock.
   */
  'timeMs': (number);
  /**
   * One line of text.
   */
  'text': (string);
}

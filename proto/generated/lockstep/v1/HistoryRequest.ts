// Original file: proto/lockstep/v1/control.proto


export interface HistoryRequestInput {
  /**
   * The most points of the curve that are wanted, 1 to 500; 0 means 500.
   */
  'points'?: (number);
}

export interface HistoryRequest {
  /**
   * The most points of the curve that are wanted, 1 to 500; 0 means 500.
   */
  'points': (number);
}

// Original file: proto/lockstep/v1/control.proto


export interface HistoryRequestInput {
  /**
   * Maximum number of points of the loss curve, 1 to 500; 0 means 500.
   */
  'points'?: (number);
}

export interface HistoryRequest {
  /**
   * Maximum number of points of the loss curve, 1 to 500; 0 means 500.
   */
  'points': (number);
}

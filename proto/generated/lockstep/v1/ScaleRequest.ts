// Original file: proto/lockstep/v1/control.proto


export interface ScaleRequestInput {
  /**
   * How many there shall be, 0 to 1024.
   */
  'workers'?: (number);
}

export interface ScaleRequest {
  /**
   * How many there shall be, 0 to 1024.
   */
  'workers': (number);
}

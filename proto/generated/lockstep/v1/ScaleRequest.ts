// Original file: proto/lockstep/v1/control.proto


export interface ScaleRequestInput {
  /**
   * Wanted number of workers, 0 to 1024.
   */
  'workers'?: (number);
}

export interface ScaleRequest {
  /**
   * Wanted number of workers, 0 to 1024.
   */
  'workers': (number);
}

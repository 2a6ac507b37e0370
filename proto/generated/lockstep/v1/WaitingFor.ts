// Original file: proto/lockstep/v1/control.proto


export interface WaitingForInput {
  'workerId'?: (string);
  /**
   * receiving, computing or sending.
   */
  'phase'?: (string);
  /**
   * Shards whose results are missing.
   */
  'shards'?: (number)[];
}

export interface WaitingFor {
  'workerId': (string);
  /**
   * receiving, computing or sending.
   */
  'phase': (string);
  /**
   * Shards whose results are missing.
   */
  'shards': (number)[];
}

// Original file: proto/lockstep/v1/data.proto


export interface FetchRequestInput {
  /**
   * SHA-256 of the part's bytes, hexadecimal, as the job manifest names it.
   */
  'digest'?: (string);
}

export interface FetchRequest {
  /**
   * SHA-256 of the part's bytes, hexadecimal, as the job manifest names it.
   */
  'digest': (string);
}

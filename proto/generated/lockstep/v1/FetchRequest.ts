// Original file: proto/lockstep/v1/data.proto


export interface FetchRequestInput {
  /**
   * SHA-256 of the chunk's bytes, 64 hexadecimal digits, as in the job manifest.
   */
  'digest'?: (string);
}

export interface FetchRequest {
  /**
   * SHA-256 of the chunk's bytes, 64 hexadecimal digits, as in the job manifest.
   */
  'digest': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * One chunk of a vector of f32, little-endian.
 */
export interface ParametersInput {
  /**
   * As in Compute, or in Evaluate.
   */
  'term'?: (number);
  'step'?: (number);
  /**
   * False: the vector is the parameters, for Compute. True: parameters and running statistics, for Evaluate.
   */
  'evaluation'?: (boolean);
  /**
   * Index of this chunk, and number of chunks. All have 256 KiB, except the last.
   */
  'chunk'?: (number);
  'chunks'?: (number);
  'data'?: (Buffer | Uint8Array | string);
  /**
   * CRC-32 (as in zlib) of the chunk's bytes.
   */
  'crc'?: (number);
}

/**
 * One chunk of a vector of f32, little-endian.
 */
export interface Parameters {
  /**
   * As in Compute, or in Evaluate.
   */
  'term': (number);
  'step': (number);
  /**
   * False: the vector is the parameters, for Compute. True: parameters and running statistics, for Evaluate.
   */
  'evaluation': (boolean);
  /**
   * Index of this chunk, and number of chunks. All have 256 KiB, except the last.
   */
  'chunk': (number);
  'chunks': (number);
  'data': (Uint8Array);
  /**
   * CRC-32 (as in zlib) of the chunk's bytes.
   */
  'crc': (number);
}

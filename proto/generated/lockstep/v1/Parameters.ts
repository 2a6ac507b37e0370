// Original file: proto/lockstep/v1/cluster.proto


/**
 * One chunk of a vector of f32, little-endian.
 */
export interface ParametersInput {
  'term'?: (number);
  'step'?: (number);
  /**
   * True where the vector is parameters and running statistics, for Evaluate.
   */
  'evaluation'?: (boolean);
  /**
   * Index of this chunk and how many there are; all but the last are 256 KiB.
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
  'term': (number);
  'step': (number);
  /**
   * True where the vector is parameters and running statistics, for Evaluate.
   */
  'evaluation': (boolean);
  /**
   * Index of this chunk and how many there are; all but the last are 256 KiB.
   */
  'chunk': (number);
  'chunks': (number);
  'data': (Uint8Array);
  /**
   * CRC-32 (as in zlib) of the chunk's bytes.
   */
  'crc': (number);
}

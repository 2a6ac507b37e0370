// Original file: proto/lockstep/v1/cluster.proto


/**
 * Log-softmax rows of one evaluation batch: f32 little-endian [images, classes].
 */
export interface EvaluationRowsInput {
  'term'?: (number);
  'step'?: (number);
  'batch'?: (number);
  'data'?: (Buffer | Uint8Array | string);
  /**
   * CRC-32 (as in zlib) of data.
   */
  'crc'?: (number);
}

/**
 * Log-softmax rows of one evaluation batch: f32 little-endian [images, classes].
 */
export interface EvaluationRows {
  'term': (number);
  'step': (number);
  'batch': (number);
  'data': (Uint8Array);
  /**
   * CRC-32 (as in zlib) of data.
   */
  'crc': (number);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * Log-softmax rows of one evaluation batch.
 */
export interface EvaluationRowsInput {
  /**
   * As in Evaluate.
   */
  'term'?: (number);
  'step'?: (number);
  /**
   * Index of the batch.
   */
  'batch'?: (number);
  /**
   * f32 little-endian, [images, classes].
   */
  'data'?: (Buffer | Uint8Array | string);
  /**
   * CRC-32 (as in zlib) of data.
   */
  'crc'?: (number);
}

/**
 * Log-softmax rows of one evaluation batch.
 */
export interface EvaluationRows {
  /**
   * As in Evaluate.
   */
  'term': (number);
  'step': (number);
  /**
   * Index of the batch.
   */
  'batch': (number);
  /**
   * f32 little-endian, [images, classes].
   */
  'data': (Uint8Array);
  /**
   * CRC-32 (as in zlib) of data.
   */
  'crc': (number);
}

// Original file: proto/lockstep/v1/data.proto


/**
 * A piece of the stream.
 */
export interface DataChunkInput {
  /**
   * Length of the whole dataset chunk in bytes; the same in every message.
   */
  'totalBytes'?: (number | string);
  /**
   * The next bytes, in order.
   */
  'data'?: (Buffer | Uint8Array | string);
}

/**
 * A piece of the stream.
 */
export interface DataChunk {
  /**
   * Length of the whole dataset chunk in bytes; the same in every message.
   */
  'totalBytes': (number);
  /**
   * The next bytes, in order.
   */
  'data': (Uint8Array);
}

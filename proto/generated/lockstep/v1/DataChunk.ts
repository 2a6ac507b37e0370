// Original file: proto/lockstep/v1/data.proto


export interface DataChunkInput {
  /**
   * Length of the whole part in bytes; the same in every chunk.
   */
  'totalBytes'?: (number | string);
  /**
   * The next bytes, in order.
   */
  'data'?: (Buffer | Uint8Array | string);
}

export interface DataChunk {
  /**
   * Length of the whole part in bytes; the same in every chunk.
   */
  'totalBytes': (number);
  /**
   * The next bytes, in order.
   */
  'data': (Uint8Array);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * Who joins.
 */
export interface HelloInput {
  /**
   * Version of this contract; the coordinator refuses any other than its own.
   */
  'protocolVersion'?: (number);
  /**
   * One process incarnation: host name plus random suffix, 1 to 200 characters.
   */
  'workerId'?: (string);
  /**
   * For people: host name and process id.
   */
  'host'?: (string);
  'pid'?: (number);
  /**
   * e.g. "v20.20.2 linux x64".
   */
  'runtime'?: (string);
  /**
   * 16 random bytes, one value per process. Heartbeats on Beat must carry the same value, because worker ids are public.
   */
  'beatKey'?: (Buffer | Uint8Array | string);
}

/**
 * Who joins.
 */
export interface Hello {
  /**
   * Version of this contract; the coordinator refuses any other than its own.
   */
  'protocolVersion': (number);
  /**
   * One process incarnation: host name plus random suffix, 1 to 200 characters.
   */
  'workerId': (string);
  /**
   * For people: host name and process id.
   */
  'host': (string);
  'pid': (number);
  /**
   * e.g. "v20.20.2 linux x64".
   */
  'runtime': (string);
  /**
   * 16 random bytes, one value per process. Heartbeats on Beat must carry the same value, because worker ids are public.
   */
  'beatKey': (Uint8Array);
}

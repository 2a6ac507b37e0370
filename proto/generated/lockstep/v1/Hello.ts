// Original file: proto/lockstep/v1/cluster.proto


/**
 * A worker's identification.
 */
export interface HelloInput {
  /**
   * Version of this contract; the coordinator rejects any version other than its own.
   */
  'protocolVersion'?: (number);
  /**
   * Id of one process: host name plus random suffix, 1 to 200 characters.
   */
  'workerId'?: (string);
  /**
   * Host name, and process id on that host; for messages.
   */
  'host'?: (string);
  'pid'?: (number);
  /**
   * Node.js version, platform and architecture, e.g. "v20.20.2 linux x64"; for messages.
   */
  'runtime'?: (string);
  /**
   * 16 random bytes, constant for the process. Heartbeats on Beat must carry them, because worker ids are public.
   */
  'beatKey'?: (Buffer | Uint8Array | string);
}

/**
 * A worker's identification.
 */
export interface Hello {
  /**
   * Version of this contract; the coordinator rejects any version other than its own.
   */
  'protocolVersion': (number);
  /**
   * Id of one process: host name plus random suffix, 1 to 200 characters.
   */
  'workerId': (string);
  /**
   * Host name, and process id on that host; for messages.
   */
  'host': (string);
  'pid': (number);
  /**
   * Node.js version, platform and architecture, e.g. "v20.20.2 linux x64"; for messages.
   */
  'runtime': (string);
  /**
   * 16 random bytes, constant for the process. Heartbeats on Beat must carry them, because worker ids are public.
   */
  'beatKey': (Uint8Array);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * Sent by a thread that never computes: on Beat every Welcome.heartbeat_ms, or every 500 ms before Welcome. Also sent on
 * Join every 5 s, to show that this connection works too.
 */
export interface HeartbeatInput {
  /**
   * idle, receiving, computing or sending.
   */
  'phase'?: (string);
  /**
   * Resident memory in bytes.
   */
  'residentBytes'?: (number | string);
  /**
   * Time of sending, in milliseconds on the worker's monotonic clock; 0 if unknown.
   */
  'sentMs'?: (number | string);
  /**
   * On Beat: Hello.worker_id. On Join: empty.
   */
  'workerId'?: (string);
  /**
   * On Beat: Hello.beat_key; the coordinator rejects a joined worker's heartbeat with another key. On Join: empty.
   */
  'beatKey'?: (Buffer | Uint8Array | string);
}

/**
 * Sent by a thread that never computes: on Beat every Welcome.heartbeat_ms, or every 500 ms before Welcome. Also sent on
 * Join every 5 s, to show that this connection works too.
 */
export interface Heartbeat {
  /**
   * idle, receiving, computing or sending.
   */
  'phase': (string);
  /**
   * Resident memory in bytes.
   */
  'residentBytes': (number);
  /**
   * Time of sending, in milliseconds on the worker's monotonic clock; 0 if unknown.
   */
  'sentMs': (number);
  /**
   * On Beat: Hello.worker_id. On Join: empty.
   */
  'workerId': (string);
  /**
   * On Beat: Hello.beat_key; the coordinator rejects a joined worker's heartbeat with another key. On Join: empty.
   */
  'beatKey': (Uint8Array);
}

// Original file: proto/lockstep/v1/cluster.proto


/**
 * Sent by a thread that never computes: on Beat every Welcome.heartbeat_ms, or every 500 ms before Welcome; on Join
 * every 5 s, to show that this connection works as well.
 */
export interface HeartbeatInput {
  /**
   * What the worker is doing: idle, receiving, computing, sending.
   */
  'phase'?: (string);
  /**
   * Resident memory in bytes.
   */
  'residentBytes'?: (number | string);
  /**
   * When it was sent, in milliseconds on the worker's monotonic clock, whose zero is anywhere; 0: not said.
   */
  'sentMs'?: (number | string);
  /**
   * Cores that the workers of this host share, if this one can compute wide: with two threads instead of one, to the
   * same bits, which it tries after its first step. Else 0.
   */
  'wideCores'?: (number);
  /**
   * On Beat: Hello.worker_id. On Join: empty.
   */
  'workerId'?: (string);
  /**
   * On Beat: Hello.beat_key; the coordinator rejects a joined worker's heartbeat with another one. On Join: empty.
   */
  'beatKey'?: (Buffer | Uint8Array | string);
}

/**
 * Sent by a thread that never computes: on Beat every Welcome.heartbeat_ms, or every 500 ms before Welcome; on Join
 * every 5 s, to show that this connection works as well.
 */
export interface Heartbeat {
  /**
   * What the worker is doing: idle, receiving, computing, sending.
   */
  'phase': (string);
  /**
   * Resident memory in bytes.
   */
  'residentBytes': (number);
  /**
   * When it was sent, in milliseconds on the worker's monotonic clock, whose zero is anywhere; 0: not said.
   */
  'sentMs': (number);
  /**
   * Cores that the workers of this host share, if this one can compute wide: with two threads instead of one, to the
   * same bits, which it tries after its first step. Else 0.
   */
  'wideCores': (number);
  /**
   * On Beat: Hello.worker_id. On Join: empty.
   */
  'workerId': (string);
  /**
   * On Beat: Hello.beat_key; the coordinator rejects a joined worker's heartbeat with another one. On Join: empty.
   */
  'beatKey': (Uint8Array);
}

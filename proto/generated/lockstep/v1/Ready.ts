// Original file: proto/lockstep/v1/cluster.proto


/**
 * The worker has compiled every program of the job and run each of them once. Sent once per session.
 */
export interface ReadyInput {
  /**
   * Engine, version, device, lowering and threads, for status and run.json.
   */
  'engine'?: (string);
  'engineVersion'?: (string);
  'device'?: (string);
  'lowering'?: (string);
  'threads'?: (number);
  /**
   * Time from Welcome to here, in milliseconds.
   */
  'compileMs'?: (number | string);
  /**
   * SHA-256, as 64 hexadecimal digits, over the outputs of every program of the job on fixed probe inputs. Workers of
   * one engine class have the same.
   */
  'fingerprint'?: (string);
  /**
   * As in Heartbeat, where it is known already from a session before this one.
   */
  'wideCores'?: (number);
  /**
   * For people: how much of a training program runs on the device, and what of it the CPU does. Empty on a CPU.
   */
  'placement'?: (string);
}

/**
 * The worker has compiled every program of the job and run each of them once. Sent once per session.
 */
export interface Ready {
  /**
   * Engine, version, device, lowering and threads, for status and run.json.
   */
  'engine': (string);
  'engineVersion': (string);
  'device': (string);
  'lowering': (string);
  'threads': (number);
  /**
   * Time from Welcome to here, in milliseconds.
   */
  'compileMs': (number);
  /**
   * SHA-256, as 64 hexadecimal digits, over the outputs of every program of the job on fixed probe inputs. Workers of
   * one engine class have the same.
   */
  'fingerprint': (string);
  /**
   * As in Heartbeat, where it is known already from a session before this one.
   */
  'wideCores': (number);
  /**
   * For people: how much of a training program runs on the device, and what of it the CPU does. Empty on a CPU.
   */
  'placement': (string);
}

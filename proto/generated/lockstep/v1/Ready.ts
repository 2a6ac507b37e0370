// Original file: proto/lockstep/v1/cluster.proto


/**
 * The worker has compiled all programs of the job and run each once. Sent once per session.
 */
export interface ReadyInput {
  /**
   * Engine as in the job spec, e.g. "onnx", and its version, e.g. "onnxruntime-node 1.30.0".
   */
  'engine'?: (string);
  'engineVersion'?: (string);
  /**
   * e.g. "cpu".
   */
  'device'?: (string);
  /**
   * Form of the programs, e.g. "portable".
   */
  'lowering'?: (string);
  /**
   * Threads of one program.
   */
  'threads'?: (number);
  /**
   * Time from Welcome to this message, in milliseconds.
   */
  'compileMs'?: (number | string);
  /**
   * SHA-256 of the outputs of the job's programs on fixed probe inputs, 64 hexadecimal digits. Equal for workers that
   * compute the same bits.
   */
  'fingerprint'?: (string);
  /**
   * As in Heartbeat, if known from an earlier session; otherwise 0.
   */
  'wideCores'?: (number);
  /**
   * Share of a training program that runs on the CPU instead of the device; for messages. Empty if the device is a CPU.
   */
  'placement'?: (string);
}

/**
 * The worker has compiled all programs of the job and run each once. Sent once per session.
 */
export interface Ready {
  /**
   * Engine as in the job spec, e.g. "onnx", and its version, e.g. "onnxruntime-node 1.30.0".
   */
  'engine': (string);
  'engineVersion': (string);
  /**
   * e.g. "cpu".
   */
  'device': (string);
  /**
   * Form of the programs, e.g. "portable".
   */
  'lowering': (string);
  /**
   * Threads of one program.
   */
  'threads': (number);
  /**
   * Time from Welcome to this message, in milliseconds.
   */
  'compileMs': (number);
  /**
   * SHA-256 of the outputs of the job's programs on fixed probe inputs, 64 hexadecimal digits. Equal for workers that
   * compute the same bits.
   */
  'fingerprint': (string);
  /**
   * As in Heartbeat, if known from an earlier session; otherwise 0.
   */
  'wideCores': (number);
  /**
   * Share of a training program that runs on the CPU instead of the device; for messages. Empty if the device is a CPU.
   */
  'placement': (string);
}

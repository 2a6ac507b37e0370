// Original file: proto/lockstep/v1/cluster.proto


/**
 * The worker has compiled all programs of the job and run each once. Sent once per session.
 */
export interface ReadyInput {
  /**
   * Engine as in the job spec, e.g. "native", and its version, e.g. "arithmetic 1" or "onnxruntime-node 1.30.0".
   */
  'engine'?: (string);
  'engineVersion'?: (string);
  /**
   * e.g. "cpu".
   */
  'device'?: (string);
  /**
   * Form of the programs, e.g. "kernel plan" or "im2col".
   */
  'lowering'?: (string);
  /**
   * Threads of one program at the start.
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
   * Share of a training program that runs on the CPU instead of the device; for messages. Empty if the device is a CPU.
   */
  'placement'?: (string);
  /**
   * Version of Lockstep's arithmetic, which the job names too; 0 if the engine has the arithmetic of another library.
   */
  'arithmetic'?: (number);
  /**
   * Number of cores that the workers of this host share; 1 if the worker has its own, or keeps its number of threads.
   */
  'cores'?: (number);
  /**
   * Instruction set of the native engine, e.g. "avx512" or "wasm", and the reason for it in words. Neither changes a bit.
   * Empty with other engines.
   */
  'target'?: (string);
  'targetReason'?: (string);
}

/**
 * The worker has compiled all programs of the job and run each once. Sent once per session.
 */
export interface Ready {
  /**
   * Engine as in the job spec, e.g. "native", and its version, e.g. "arithmetic 1" or "onnxruntime-node 1.30.0".
   */
  'engine': (string);
  'engineVersion': (string);
  /**
   * e.g. "cpu".
   */
  'device': (string);
  /**
   * Form of the programs, e.g. "kernel plan" or "im2col".
   */
  'lowering': (string);
  /**
   * Threads of one program at the start.
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
   * Share of a training program that runs on the CPU instead of the device; for messages. Empty if the device is a CPU.
   */
  'placement': (string);
  /**
   * Version of Lockstep's arithmetic, which the job names too; 0 if the engine has the arithmetic of another library.
   */
  'arithmetic': (number);
  /**
   * Number of cores that the workers of this host share; 1 if the worker has its own, or keeps its number of threads.
   */
  'cores': (number);
  /**
   * Instruction set of the native engine, e.g. "avx512" or "wasm", and the reason for it in words. Neither changes a bit.
   * Empty with other engines.
   */
  'target': (string);
  'targetReason': (string);
}

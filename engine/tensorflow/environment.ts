/**
 * What libtensorflow is to find in the environment when it is loaded; it has no other door for these settings.
 *
 * The environment must be the process's own: a thread's `process.env` is a copy unless the thread was made with
 * `SHARE_ENV`. libtensorflow reads each of them once per process.
 * @param threads - inside one operator.
 */
export function environmentFor(threads: number): Readonly<Record<string, string>> {
  return {
    // Kernels whose sums depend on timing are replaced by others, or refuse to run.
    TF_DETERMINISTIC_OPS: '1',
    TF_CUDNN_DETERMINISTIC: '1',
    // The fastest of several algorithms, found by timing, would be another one from process to process.
    TF_CUDNN_USE_AUTOTUNE: '0',
    // Products in TF32, Ampere's default, have 10 bits of mantissa.
    NVIDIA_TF32_OVERRIDE: '0',
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    // Otherwise the first worker on a GPU takes all of its memory.
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    // Errors only: they come as exceptions, too, but not always with their reason.
    TF_CPP_MIN_LOG_LEVEL: '2',
  };
}

/**
 * Environment variables for loading libtensorflow, which has no other option for these settings.
 *
 * They must be set in the process's environment: a thread's `process.env` is a copy unless it was created with
 * `SHARE_ENV`. libtensorflow reads them once per process.
 * @param threads - per operator.
 */
export function environmentFor(threads: number): Readonly<Record<string, string>> {
  return {
    // Replaces or disables kernels whose sums depend on timing.
    TF_DETERMINISTIC_OPS: '1',
    TF_CUDNN_DETERMINISTIC: '1',
    // Choosing algorithms by timing would give different ones in each process.
    TF_CUDNN_USE_AUTOTUNE: '0',
    // TF32, Ampere's default for products, has 10 bits of mantissa.
    NVIDIA_TF32_OVERRIDE: '0',
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    // Otherwise the first worker on a GPU allocates all of its memory.
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    // Errors only. Exceptions don't always contain the reason.
    TF_CPP_MIN_LOG_LEVEL: '2',
  };
}

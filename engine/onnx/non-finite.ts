import type { EvaluateResult, ProgramInput, TrainResult } from '../engine.js';

type Run<Result> = (input: ProgramInput) => Promise<Result>;

/**
 * Wraps `run` for devices that may assume finite numbers, as WGSL permits: there ReLU of NaN is 0, so a diverged model
 * may have a finite loss. If an input isn't finite, all results are NaN.
 * @param read - vectors that the program reads; checking them takes about 1 ms per million values.
 */
export function showingNonFinite<Result extends TrainResult | EvaluateResult>(
  read: (input: ProgramInput) => readonly Float32Array[],
  run: Run<Result>,
): Run<Result> {
  return async (input) => {
    const result = await run(input);
    return read(input).every(areFinite) ? result : withoutNumbers(result);
  };
}

/** True if all values are finite: a non-finite term makes the sum non-finite, and f32 values can't overflow f64. */
function areFinite(values: Float32Array): boolean {
  let sum = 0;
  for (const value of values) sum += value;
  return Number.isFinite(sum);
}

/** Overwrites the arrays of `result`. */
function withoutNumbers<Result extends TrainResult | EvaluateResult>(result: Result): Result {
  const values = Object.values(result) as (Float32Array | number)[];
  for (const value of values) if (typeof value !== 'number') value.fill(NaN);
  return 'lossSum' in result ? { ...result, lossSum: NaN } : result;
}

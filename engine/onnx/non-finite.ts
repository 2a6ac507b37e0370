import type { EvaluateResult, ProgramInput, TrainResult } from '../engine.js';

type Run<Result> = (input: ProgramInput) => Promise<Result>;

/**
 * A run for devices whose language lets them take every number for finite, as WGSL does: there a ReLU of NaN is 0, and a
 * broken model has a finite loss. Where what it is given is not finite, it answers NaN throughout.
 * @param read - the vectors that the program reads; looking through them takes about 1 ms per million.
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

/** A sum is not finite if one of its terms is not; large terms that overflow in f64 there are none. */
function areFinite(values: Float32Array): boolean {
  let sum = 0;
  for (const value of values) sum += value;
  return Number.isFinite(sum);
}

/** The arrays are those of `result`, which belong to nobody else yet. */
function withoutNumbers<Result extends TrainResult | EvaluateResult>(result: Result): Result {
  const values = Object.values(result) as (Float32Array | number)[];
  for (const value of values) if (typeof value !== 'number') value.fill(NaN);
  return 'lossSum' in result ? { ...result, lossSum: NaN } : result;
}

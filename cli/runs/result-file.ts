import { writeFileSync } from 'node:fs';
import type { RunResult } from '../../coordinator/persistence/results.js';

/** Content of the `--result` file: a run's outcome, for a launcher that can't read the run directory. */
export function describeResult({ input }: Pick<RunResult, 'input'>): object {
  const { outcome, steps, stepsPerEpoch, evaluations, finalDigest, engine } = input;
  const last = steps.slice(-10);
  const test = evaluations.at(-1);
  return {
    outcome,
    step: steps.length,
    epoch: Math.floor(steps.length / stepsPerEpoch),
    digest: finalDigest,
    fingerprint: engine.fingerprint,
    device: engine.device,
    ...(last.length === 0 ? {} : { loss: last.reduce((sum, { loss }) => sum + loss, 0) / last.length }),
    ...(test === undefined ? {} : { accuracy: test.correct / test.total }),
  };
}

/**
 * Writes in place, because a file mounted into a container can't be replaced by a rename. The run has already succeeded,
 * so a failed write is only reported.
 */
export function writeResultFile(file: string, result: Pick<RunResult, 'input'>): void {
  try {
    writeFileSync(file, `${JSON.stringify(describeResult(result))}\n`);
  } catch (error) {
    console.error(`--result ${file}: expected a writable file, got ${(error as Error).message}`);
  }
}

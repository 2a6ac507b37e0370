import { writeFileSync } from 'node:fs';
import type { RunResult } from '../../coordinator/persistence/results.js';

/** What `--result` writes: how a run ended, for whoever started the coordinator and cannot read its run directory. */
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
 * Writes in place: the file may be one that is mounted into a container, which cannot be renamed over. The run has
 * ended well by then, so that a file that cannot be written is told of, and no more.
 */
export function writeResultFile(file: string, result: Pick<RunResult, 'input'>): void {
  try {
    writeFileSync(file, `${JSON.stringify(describeResult(result))}\n`);
  } catch (error) {
    console.error(`--result ${file}: expected a file that can be written, got ${(error as Error).message}`);
  }
}

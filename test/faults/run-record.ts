import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSteps } from '../../run/record-format.js';

/** The commits of a run, from its directory. */
export interface RunRecord {
  /** `epoch digest`, one per complete epoch. */
  readonly digests: readonly { readonly epoch: number; readonly digest: string }[];
  /** One per committed step: its inputs and results; nothing that depends on time or workers. */
  readonly steps: readonly string[];
  readonly samples: number;
  readonly stepsPerEpoch: number;
}

export function readRun(directory: string): RunRecord {
  const steps = parseSteps(readFileSync(join(directory, 'steps.csv'), 'utf8'));
  return {
    digests: readDigests(directory),
    steps: steps.map(
      (r) => `step ${r.step}, epoch ${r.epoch}: ${r.samples} samples, ${r.correct} correct, loss ${r.loss}`,
    ),
    stepsPerEpoch: steps.filter(({ epoch }) => epoch === 1).length,
    samples: steps.reduce((sum, { samples }) => sum + samples, 0),
  };
}

export function readDigests(directory: string): RunRecord['digests'] {
  const text = readFileSync(join(directory, 'digests.jsonl'), 'utf8');
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => {
    const { epoch, digest } = JSON.parse(line) as { epoch: number; digest: string };
    return { epoch, digest };
  });
}

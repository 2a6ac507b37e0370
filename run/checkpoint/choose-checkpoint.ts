import { JobError } from '../../job/errors.js';
import { bestStep } from './checkpoint-decisions.js';

/** A checkpoint as the user names it. */
export type CheckpointWish = 'last' | 'best' | { readonly epoch: number } | { readonly step: number };

/** Reads `last`, `best`, `epoch:N` or `step:N`. @throws JobError BAD_OPTION */
export function parseCheckpointWish(text: string): CheckpointWish {
  if (text === 'last' || text === 'best') return text;
  const match = /^(epoch|step):(\d{1,9})$/.exec(text);
  if (match?.[1] === 'epoch') return { epoch: Number(match[2]) };
  if (match?.[1] === 'step') return { step: Number(match[2]) };
  const expected = 'expected last, best, epoch:N or step:N';
  throw new JobError('BAD_OPTION', `--checkpoint: ${expected}, got ${JSON.stringify(text)}`);
}

/** The available checkpoints of a run. */
export interface Choice {
  /** Steps of the existing checkpoints. */
  readonly steps: readonly number[];
  readonly evaluations: readonly { readonly step: number; readonly correct: number }[];
  readonly stepsPerEpoch: number;
}

/** Resolves a wish to the step of a checkpoint, or to the reason why there is none. */
export function chooseCheckpoint(
  wish: CheckpointWish,
  choice: Choice,
): { readonly step: number } | { readonly problem: string } {
  const { steps } = choice;
  if (steps.length === 0) return { problem: 'expected checkpoints, got none; train the job first' };
  const step = wantedStep(wish, choice);
  if (step !== undefined && steps.includes(step)) return { step };
  const wanted = step === undefined ? 'an evaluation, to find the best' : `a checkpoint of step ${step}`;
  return {
    problem: `expected ${wanted}, got checkpoints of ${describeSteps(choice)}; only the first, last two and best are kept`,
  };
}

function wantedStep(wish: CheckpointWish, { steps, evaluations, stepsPerEpoch }: Choice): number | undefined {
  if (wish === 'last') return Math.max(...steps);
  if (wish === 'best') return bestStep(evaluations);
  return 'epoch' in wish ? wish.epoch * stepsPerEpoch : wish.step;
}

function describeSteps({ steps, stepsPerEpoch }: Choice): string {
  const names = steps.map((step) =>
    step % stepsPerEpoch === 0 ? `${step} (epoch ${step / stepsPerEpoch})` : `${step}`,
  );
  return `steps ${names.join(', ')}`;
}

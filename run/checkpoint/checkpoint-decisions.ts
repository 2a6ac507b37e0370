/** Decisions about checkpoints: when one is due, which are kept, and which one a run resumes from. */

const filePattern = /^step-(\d{8,})\.safetensors$/;

/** Name of the checkpoint after `step` updates. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, '0')}.safetensors`;
}

/** The steps of the checkpoints among `names`, ascending. */
export function checkpointSteps(names: readonly string[]): number[] {
  return names
    .flatMap((name) => Number(filePattern.exec(name)?.[1] ?? NaN))
    .filter(Number.isInteger)
    .sort(ascending);
}

/** State of a run at a step boundary. */
export interface StepBoundary {
  /** Committed updates. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Steps between two checkpoints; 0: only at the ends of epochs. */
  readonly everySteps: number;
  /** Step of a checkpoint that is still being written. */
  readonly writing: number | undefined;
}

/** Decides whether to write a checkpoint. One at an epoch's end is never skipped; it waits for a pending one. */
export function decideDue(boundary: StepBoundary): {
  readonly action: 'none' | 'write' | 'skip';
  readonly reason: string;
} {
  const { step, stepsPerEpoch, everySteps, writing } = boundary;
  if (step % stepsPerEpoch === 0) return { action: 'write', reason: `epoch ${step / stepsPerEpoch} is complete` };
  if (everySteps === 0 || step % everySteps !== 0) return { action: 'none', reason: 'not due' };
  if (writing === undefined) return { action: 'write', reason: `every ${everySteps} steps` };
  return {
    action: 'skip',
    reason: `checkpoint of step ${step} skipped: that of step ${writing} is still being written`,
  };
}

/**
 * Selects superfluous checkpoints: all but the first, the last two, and the best.
 * @param steps - of the existing checkpoints.
 * @param best - step of the evaluation with the highest accuracy so far.
 */
export function decideRemoval(steps: readonly number[], best: number | undefined): number[] {
  const last = [...steps].sort(ascending).slice(-2);
  return steps.filter((step) => step !== 0 && step !== best && !last.includes(step));
}

/** Step of the evaluation with most images correct; the first of equals, so that it changes only for a better one. */
export function bestStep(
  evaluations: readonly { readonly step: number; readonly correct: number }[],
): number | undefined {
  const most = Math.max(...evaluations.map(({ correct }) => correct));
  return evaluations.find(({ correct }) => correct === most)?.step;
}

/**
 * Selects the checkpoint to resume from: the newest one that isn't known to be damaged.
 * @param damaged - problems of those read so far, by step.
 */
export function decideCheckpoint(
  steps: readonly number[],
  damaged: ReadonlyMap<number, string>,
): { readonly step: number | undefined; readonly reason: string } {
  const skipped = [...damaged].map(([step, problem]) => `${checkpointName(step)} skipped: ${problem}`);
  const step = [...steps].sort(ascending).findLast((candidate) => !damaged.has(candidate));
  const found = step === undefined ? `no intact checkpoint among ${steps.length}` : `newest intact checkpoint: ${step}`;
  return { step, reason: [found, ...skipped].join('; ') };
}

function ascending(a: number, b: number): number {
  return a - b;
}

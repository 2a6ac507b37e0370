/** Decisions about checkpoints: when one is written, which are kept, and which one a run goes on from. */

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

/** Where a run stands between two steps. */
export interface Border {
  /** Committed updates. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Steps between two checkpoints; 0: only at the ends of epochs. */
  readonly everySteps: number;
  /** Step of the checkpoint that is still being written. */
  readonly writing: number | undefined;
}

/** Whether a checkpoint is due. One at an epoch's end is never skipped; it waits for the one being written. */
export function decideDue(border: Border): { readonly action: 'none' | 'write' | 'skip'; readonly reason: string } {
  const { step, stepsPerEpoch, everySteps, writing } = border;
  if (step % stepsPerEpoch === 0) return { action: 'write', reason: `epoch ${step / stepsPerEpoch} is complete` };
  if (everySteps === 0 || step % everySteps !== 0) return { action: 'none', reason: 'not due' };
  if (writing === undefined) return { action: 'write', reason: `every ${everySteps} steps` };
  return {
    action: 'skip',
    reason: `checkpoint of step ${step} skipped: that of step ${writing} is still being written`,
  };
}

/**
 * The checkpoints that are not needed any more: all but the first state, the last two, and the best.
 * @param steps - of the checkpoints that there are.
 * @param best - step of the evaluation with the highest accuracy so far.
 */
export function decideRemoval(steps: readonly number[], best: number | undefined): number[] {
  const last = [...steps].sort(ascending).slice(-2);
  return steps.filter((step) => step !== 0 && step !== best && !last.includes(step));
}

/** Step of the evaluation with most images correct; the first of equals, so that it does not change without need. */
export function bestStep(
  evaluations: readonly { readonly step: number; readonly correct: number }[],
): number | undefined {
  const most = Math.max(...evaluations.map(({ correct }) => correct));
  return evaluations.find(({ correct }) => correct === most)?.step;
}

/**
 * The checkpoint to go on from: the newest one that is not known to be damaged.
 * @param damaged - what is wrong with those that have been looked at, by step.
 */
export function decideCheckpoint(
  steps: readonly number[],
  damaged: ReadonlyMap<number, string>,
): { readonly step: number | undefined; readonly reason: string } {
  const passedOver = [...damaged].map(([step, problem]) => `${checkpointName(step)} passed over: ${problem}`);
  const step = [...steps].sort(ascending).findLast((candidate) => !damaged.has(candidate));
  const found =
    step === undefined ? `none of ${steps.length} checkpoint(s) is good` : `newest good checkpoint: ${step}`;
  return { step, reason: [found, ...passedOver].join('; ') };
}

function ascending(a: number, b: number): number {
  return a - b;
}

import { formatScore } from '../../run/report/format.js';
import { formatProgress } from '../../run/report/progress-line.js';
import type { RunEvent } from '../../coordinator/state/events.js';
import type { EvaluationRecord } from '../../run/records.js';

/** Steps per progress line, as in the lecture. */
const stepsPerLine = 100;

/** Result of an evaluation in the lecture's format. */
export function evaluationLine({ loss, correct, total }: EvaluationRecord): string {
  return `Test set: Average loss: ${loss.toFixed(4)}, Accuracy: ${formatScore({ correct, total })}`;
}

/** Prints progress in the lecture's format, for logs and pipes: one line per 100 steps and one per evaluation. */
export function linePrinter(
  run: { readonly stepsPerEpoch: number; readonly samplesPerEpoch: number },
  print: (line: string) => void,
): (event: RunEvent) => void {
  let seen: number | undefined;
  return (event) => {
    if (event.type === 'evaluation') print(evaluationLine(event.record));
    if (event.type !== 'step') return;
    const { step, epoch, samples, loss } = event.record;
    const stepInEpoch = step % run.stepsPerEpoch;
    // A resumed run starts within an epoch, in which all steps but the last have equally many samples.
    if (seen === undefined || stepInEpoch === 0) seen = stepInEpoch * samples;
    if (stepInEpoch % stepsPerLine === 0) print(formatProgress({ epoch, seen, total: run.samplesPerEpoch, loss }));
    seen += samples;
  };
}

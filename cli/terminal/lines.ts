import { formatScore } from '../../run/report/format.js';
import { formatProgress } from '../../run/report/progress-line.js';
import type { RunEvent } from '../../coordinator/state/events.js';
import type { EvaluationRecord } from '../../run/records.js';

/** Steps between two progress lines, as the lecture prints them. */
const stepsPerLine = 100;

/** What the lecture prints after a test. */
export function evaluationLine({ loss, correct, total }: EvaluationRecord): string {
  return `Test set: Average loss: ${loss.toFixed(4)}, Accuracy: ${formatScore({ correct, total })}`;
}

/** Prints a run's progress in the lecture's form, a line every 100 steps and one per evaluation: for logs and pipes. */
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
    // A run that goes on begins within an epoch, of which all steps but the last have as many samples.
    if (seen === undefined || stepInEpoch === 0) seen = stepInEpoch * samples;
    if (stepInEpoch % stepsPerLine === 0) print(formatProgress({ epoch, seen, total: run.samplesPerEpoch, loss }));
    seen += samples;
  };
}

import type { DigestEntry, EvaluationEntry, StepRecord } from './records.js';

/** Text format of `steps.csv`, `digests.jsonl` and `evaluations.jsonl`: writing, parsing, cutting back to a checkpoint. */

export const stepsHeader = 'step,epoch,samples,loss,correct,learning_rate,duration_ms,workers\n';

/** Formats a row of `steps.csv`. */
export function formatStep(r: StepRecord): string {
  const loss = r.loss.toPrecision(9);
  const duration = r.durationMs.toFixed(2);
  return `${r.step},${r.epoch},${r.samples},${loss},${r.correct},${r.learningRate},${duration},${r.workers}\n`;
}

/** Parses `steps.csv`; an incomplete last line is ignored. */
export function parseSteps(csv: string): StepRecord[] {
  return completeLines(csv)
    .slice(1)
    .map((line) => {
      const [step, epoch, samples, loss, correct, learningRate, durationMs, workers] = line.split(',').map(Number);
      return {
        step: step!,
        epoch: epoch!,
        samples: samples!,
        loss: loss!,
        correct: correct!,
        learningRate: learningRate!,
        durationMs: durationMs!,
        workers: workers!,
      };
    });
}

/** A file cut back to a checkpoint, and the entries removed from its end. */
export interface CutBack<Entry> {
  readonly text: string;
  readonly kept: readonly Entry[];
  readonly dropped: readonly Entry[];
}

/** Cuts `steps.csv` back to the first `step` updates. */
export function cutSteps(csv: string, step: number): CutBack<StepRecord> {
  const steps = parseSteps(csv);
  const kept = steps.filter((record) => record.step < step);
  const dropped = steps.filter((record) => record.step >= step);
  return { text: stepsHeader + kept.map(formatStep).join(''), kept, dropped };
}

/** Cuts `digests.jsonl` back to the state after `step` updates. */
export function cutDigests(jsonl: string, step: number): CutBack<DigestEntry> {
  return cutLines<DigestEntry>(jsonl, (entry) => entry.step <= step);
}

/** Cuts `evaluations.jsonl` back to the state after `step` updates. */
export function cutEvaluations(jsonl: string, step: number): CutBack<EvaluationEntry> {
  return cutLines<EvaluationEntry>(jsonl, (entry) => entry.record.step <= step);
}

/** Formats a line of a `.jsonl` file. */
export function formatLine(entry: unknown): string {
  return `${JSON.stringify(entry)}\n`;
}

/** Parses a `.jsonl` file; an incomplete last line is ignored. */
export function parseLines<Entry>(jsonl: string): Entry[] {
  return completeLines(jsonl).map((line) => JSON.parse(line) as Entry);
}

function cutLines<Entry>(jsonl: string, isKept: (entry: Entry) => boolean): CutBack<Entry> {
  const entries = parseLines<Entry>(jsonl);
  const kept = entries.filter(isKept);
  const dropped = entries.filter((entry) => !isKept(entry));
  return { text: kept.map(formatLine).join(''), kept, dropped };
}

/** All lines that end with a newline; a killed process may leave half a line. */
function completeLines(text: string): string[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}

import { stringify } from 'yaml';
import type { RunView } from '../../coordinator/state/run-view.js';
import type { RunEvent } from '../../coordinator/state/events.js';
import type { DigestEntry, EvaluationRecord, RecordedHistory, StepRecord } from '../../run/records.js';
import type { TensorboardItem } from './item.js';
import { type StepPoint, StepPoints, stepsPerPoint } from './step-points.js';

/** Maximum number of confusion matrices that a start draws again; TensorBoard keeps the same number per tag. */
const maxPicturesBefore = 10;

/** TensorBoard's entries of a run, from its view and events. */
export class TensorboardItems {
  readonly #points: StepPoints;

  constructor(private readonly view: Pick<RunView, 'manifest' | 'plan'>) {
    this.#points = new StepPoints(stepsPerPoint(view.plan));
  }

  /**
   * Entries of the job and of the run before this start; called once, before any event.
   *
   * Records have durations of steps but no times, so times are calculated backwards from now.
   */
  history({ steps, evaluations, digests }: RecordedHistory, nowSeconds: number): TensorboardItem[] {
    const at = clockOf(steps, nowSeconds);
    const firstPicture = evaluations.length - maxPicturesBefore;
    return [
      this.#job(at(0)),
      ...steps.flatMap((record) => this.#point(this.#points.add(record), at(record.step + 1))),
      ...evaluations.flatMap(({ record }, i) => this.#evaluation(record, at(record.step), i >= firstPicture)),
      ...digests.map((entry) => this.#digest(entry, at(entry.step))),
    ].sort((a, b) => a.step - b.step);
  }

  of(event: RunEvent, wallSeconds: number): TensorboardItem[] {
    if (event.type === 'step') return this.#point(this.#points.add(event.record), wallSeconds);
    if (event.type === 'evaluation') return this.#evaluation(event.record, wallSeconds, true);
    if (event.type === 'epoch') return [this.#digest(event, wallSeconds)];
    const isOver = event.type === 'state' && (event.state === 'reporting' || event.state === 'failed');
    return isOver ? this.#point(this.#points.finish(), wallSeconds) : [];
  }

  #job(wallSeconds: number): TensorboardItem {
    const { spec, dataset, digest } = this.view.manifest;
    const text = `**${spec.name}** on ${dataset.title}\n\njob digest \`${digest}\`\n\n\`\`\`yaml\n${stringify(spec)}\`\`\`\n`;
    return { kind: 'text', tag: 'job', text, step: 0, wallSeconds };
  }

  #point(point: StepPoint | undefined, wallSeconds: number): TensorboardItem[] {
    return point ? [{ kind: 'scalars', values: point.values, step: point.step, wallSeconds }] : [];
  }

  #evaluation(record: EvaluationRecord, wallSeconds: number, picture: boolean): TensorboardItem[] {
    const { step, loss, correct, total, confusion } = record;
    const { classes, title } = this.view.manifest.dataset;
    const values = { 'test/loss': loss, 'test/accuracy': correct / total };
    const scalars = { kind: 'scalars', values, step, wallSeconds } as const;
    if (!picture) return [scalars];
    const name = `Confusion matrix: ${this.view.manifest.spec.name}, ${title}`;
    return [scalars, { kind: 'confusion', title: name, confusion, classes, step, wallSeconds }];
  }

  #digest({ epoch, step, digest }: DigestEntry, wallSeconds: number): TensorboardItem {
    return { kind: 'text', tag: 'digest', text: `epoch ${epoch}: \`${digest}\``, step, wallSeconds };
  }
}

/** Time of an update in seconds since 1970, if the last of `steps` was made at `nowSeconds`. */
function clockOf(steps: readonly StepRecord[], nowSeconds: number): (step: number) => number {
  const times = new Float64Array((steps.at(-1)?.step ?? -1) + 2).fill(NaN);
  let seconds = nowSeconds;
  for (const { step, durationMs } of steps.toReversed()) {
    times[step + 1] = seconds;
    seconds -= durationMs / 1000;
  }
  times[0] = seconds;
  // The duration of a skipped step is unknown.
  times.forEach((time, i) => {
    if (Number.isNaN(time)) times[i] = times[i - 1]!;
  });
  return (step) => times[Math.min(step, times.length - 1)]!;
}

import { MultiBar, type SingleBar } from 'cli-progress';
import type { RunEvent } from '../../coordinator/state/events.js';
import { paceSteps, RecentSteps } from '../../coordinator/state/recent-steps.js';
import { formatCount, formatDuration } from '../../run/report/format.js';
import { evaluationLine } from './lines.js';
import { visible } from './visible.js';

const format =
  '{bar} epoch {epoch}/{epochs} · step {value}/{total} · loss {loss} · {accuracy} · {rate} images/s · {left} left · {workers}';

/** Progress bar of a run on a terminal, with the results of epochs above it. */
export class ProgressBar {
  readonly #bars: MultiBar;
  #bar: SingleBar | undefined;
  readonly #recent = new RecentSteps(paceSteps);

  constructor(
    private readonly run: { readonly totalSteps: number; readonly epochs: number },
    stream: NodeJS.WriteStream,
  ) {
    this.#bars = new MultiBar({
      format,
      stream,
      barsize: 20,
      fps: 5,
      hideCursor: true,
      clearOnComplete: true,
      barCompleteChar: '█',
      barIncompleteChar: '░',
    });
  }

  /** Prints a line above the bar. */
  log(line: string): void {
    this.#bars.log(`${visible(line)}\n`);
    this.#bars.update();
  }

  handle(event: RunEvent): void {
    if (event.type === 'evaluation') this.log(`Epoch ${event.record.epoch}: ${evaluationLine(event.record)}`);
    if (event.type !== 'step') return;
    const { step, epoch, workers } = event.record;
    this.#recent.add(event.record);
    const { loss, accuracy, imagesPerSecond, stepMs } = this.#recent.means()!;
    const leftMs = (this.run.totalSteps - step - 1) * stepMs;
    this.#bar ??= this.#bars.create(this.run.totalSteps, 0, {});
    this.#bar.update(step + 1, {
      epoch,
      epochs: this.run.epochs,
      loss: loss.toFixed(3),
      accuracy: `${(accuracy * 100).toFixed(1)} %`,
      rate: formatCount(imagesPerSecond),
      left: formatDuration(leftMs / 1000),
      workers: `${workers} worker${workers === 1 ? '' : 's'}`,
    });
  }

  stop(): void {
    this.#bars.stop();
  }
}

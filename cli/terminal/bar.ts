import { MultiBar, type SingleBar } from 'cli-progress';
import type { RunEvent } from '../../coordinator/events.js';
import { RecentMean } from '../../coordinator/observe/recent-mean.js';
import { formatDuration } from '../../coordinator/report/format.js';
import { evaluationLine } from './lines.js';

const format =
  '{bar} epoch {epoch}/{epochs} · step {value}/{total} · loss {loss} · {accuracy} · {rate} images/s · {left} left · {workers}';

/** Draws a run on a terminal: one bar, with the epochs' results above it. */
export class ProgressBar {
  readonly #bars: MultiBar;
  #bar: SingleBar | undefined;
  readonly #loss = new RecentMean();
  readonly #accuracy = new RecentMean();
  readonly #stepMs = new RecentMean();
  readonly #rate = new RecentMean();

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
    this.#bars.log(`${line}\n`);
    this.#bars.update();
  }

  handle(event: RunEvent): void {
    if (event.type === 'evaluation') this.log(`Epoch ${event.record.epoch}: ${evaluationLine(event.record)}`);
    if (event.type !== 'step') return;
    const { step, epoch, samples, loss, correct, durationMs, workers } = event.record;
    const accuracy = this.#accuracy.add(correct / samples);
    const leftMs = (this.run.totalSteps - step - 1) * this.#stepMs.add(durationMs);
    this.#bar ??= this.#bars.create(this.run.totalSteps, 0, {});
    this.#bar.update(step + 1, {
      epoch,
      epochs: this.run.epochs,
      loss: this.#loss.add(loss).toFixed(3),
      accuracy: `${(accuracy * 100).toFixed(1)} %`,
      rate: Math.round(this.#rate.add((samples / durationMs) * 1000)).toLocaleString('en'),
      left: formatDuration(leftMs / 1000),
      workers: `${workers} worker${workers === 1 ? '' : 's'}`,
    });
  }

  stop(): void {
    this.#bars.stop();
  }
}

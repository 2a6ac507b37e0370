import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ObservedRun } from '../../coordinator/state/run-view.js';
import type { RunEvent } from '../../coordinator/state/events.js';
import { completesWithin } from '../../util/deadline.js';
import type { TensorboardItem } from './item.js';
import { TensorboardItems } from './items.js';

/** Message to the thread: entries to write, or the end. */
export type ToTensorboard = readonly TensorboardItem[] | 'end';

/** Time for the last picture when the run is over. */
const endLimitMs = 10_000;

/**
 * Writes event files for TensorBoard into the run directory's `tensorboard/`, once the job is prepared.
 *
 * A thread does the work; the run hands over a few numbers, for at most 5,000 points. A failure is reported once and has
 * no other effect.
 */
export function startTensorboard(coordinator: Pick<ObservedRun, 'events' | 'view'>): { close(): Promise<void> } {
  const writer = coordinator.view().then(async (view) => {
    const waiting: RunEvent[] = [];
    let take = (event: RunEvent): void => void waiting.push(event);
    coordinator.events.subscribe((event) => take(event));
    const before = await view.before();
    const items = new TensorboardItems(view);
    const thread = new TensorboardThread(join(view.path, 'tensorboard'), (message) =>
      coordinator.events.emit({ type: 'note', message }),
    );
    thread.post(() => items.history(before, nowSeconds()));
    take = (event) => thread.post(() => items.of(event, nowSeconds()));
    waiting.forEach(take);
    return thread;
  });
  const orNothing = writer.catch(() => undefined);
  return { close: async () => (await orNothing)?.close() };
}

class TensorboardThread {
  readonly #thread: Worker;
  readonly #ended: Promise<void>;
  #failed = false;

  constructor(
    private readonly directory: string,
    private readonly onProblem: (message: string) => void,
  ) {
    this.#thread = new Worker(new URL('./thread-main.js', import.meta.url), { workerData: directory });
    this.#thread.unref();
    this.#ended = new Promise((resolve) => this.#thread.once('exit', () => resolve()));
    this.#thread.on('error', (error) => this.#fail(error));
  }

  /** Queues entries. @param make - creates them; its errors end the writing, not the run. */
  post(make: () => readonly TensorboardItem[]): void {
    if (this.#failed) return;
    try {
      const items = make();
      if (items.length > 0) this.#send(items);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Waits until everything is written. */
  async close(): Promise<void> {
    this.#thread.ref();
    this.#send('end');
    if (await completesWithin(this.#ended, endLimitMs)) return;
    this.onProblem(`tensorboard: expected its file to be complete within ${endLimitMs} ms, got an incomplete one`);
    await this.#thread.terminate();
  }

  #fail({ message }: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.onProblem(`tensorboard: expected to write ${this.directory}, got ${message}; the run continues without it`);
  }

  #send(message: ToTensorboard): void {
    this.#thread.postMessage(message);
  }
}

function nowSeconds(): number {
  return Date.now() / 1000;
}

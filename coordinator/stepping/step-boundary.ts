import { ClusterError } from '../../proto/errors.js';

/** Called with what came of a request. */
interface Waiter<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

/** What is asked of a run from outside and done between two steps, where no bit of the result depends on it. */
export class BorderRequests {
  #paused = false;
  #reached = false;
  #over: ClusterError | undefined;
  readonly #pauses: Waiter<boolean>[] = [];
  readonly #checkpoints: Waiter<string>[] = [];
  #wake: (() => void) | undefined;

  /** @param onAsked - called for each request, so that a run that waits at a step boundary can serve it at once. */
  constructor(private readonly onAsked: () => void = () => undefined) {}

  /** Whether there is anything to do before the next step. */
  get pending(): boolean {
    return this.#paused || this.#checkpoints.length > 0;
  }

  /** Whether the next step is to wait for `resume`. */
  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Settles at the border at which the run pauses: true, or false when it was resumed before.
   * @throws ClusterError REFUSED when it ends before.
   */
  pause(): Promise<boolean> {
    this.#paused = true;
    return this.#reached && !this.#over ? Promise.resolve(true) : this.#ask(this.#pauses);
  }

  /** The run goes on, if it was paused. @returns whether it was. @throws ClusterError REFUSED when it is over. */
  resume(): boolean {
    if (this.#over) throw this.#over;
    const was = this.#paused;
    this.#paused = this.#reached = false;
    for (const { resolve } of this.#pauses.splice(0)) resolve(false);
    this.#wake?.();
    return was;
  }

  /** Settles with the path of a checkpoint of the next border. @throws ClusterError REFUSED when the run ends before. */
  checkpoint(): Promise<string> {
    return this.#ask(this.#checkpoints);
  }

  /** At a border: answers those who want a checkpoint. @param save - makes it; its failure is theirs too. */
  async serveCheckpoints(save: () => Promise<string>): Promise<void> {
    const waiters = this.#checkpoints.splice(0);
    if (waiters.length === 0) return;
    try {
      const path = await save();
      for (const { resolve } of waiters) resolve(path);
    } catch (error) {
      for (const { reject } of waiters) reject(error as Error);
      throw error;
    }
  }

  /** At a border of a paused run: answers those who asked for the pause; settles at the next request. */
  async untilAsked(): Promise<void> {
    this.#reached = true;
    for (const { resolve } of this.#pauses.splice(0)) resolve(true);
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  /** The run is over: nothing that is still asked for will be done. */
  close(): void {
    this.#over = new ClusterError('REFUSED', 'control: expected a run that trains, got one that is over');
    for (const { reject } of [...this.#pauses.splice(0), ...this.#checkpoints.splice(0)]) reject(this.#over);
  }

  #ask<Value>(queue: Waiter<Value>[]): Promise<Value> {
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      queue.push({ resolve, reject });
      this.#wake?.();
      this.onAsked();
    });
  }
}

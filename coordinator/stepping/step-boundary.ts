import { ClusterError } from '../../proto/errors.js';

/** Settles one request. */
interface Waiter<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

/** External requests, which a run serves at a step boundary so that they don't change the result. */
export class StepBoundaryRequests {
  #paused = false;
  #reached = false;
  #over: ClusterError | undefined;
  readonly #pauses: Waiter<boolean>[] = [];
  readonly #checkpoints: Waiter<string>[] = [];
  #wake: (() => void) | undefined;

  /** @param onRequest - called for each request, so that a run that waits at a step boundary can serve it at once. */
  constructor(private readonly onRequest: () => void = () => undefined) {}

  /** True if a request must be served before the next step. */
  get pending(): boolean {
    return this.#paused || this.#checkpoints.length > 0;
  }

  /** True if the next step must wait for `resume`. */
  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Requests a pause. Settles when the run pauses, with true, or with false if it was resumed first.
   * @throws ClusterError REFUSED if the run ends first.
   */
  pause(): Promise<boolean> {
    this.#paused = true;
    return this.#reached && !this.#over ? Promise.resolve(true) : this.#request(this.#pauses);
  }

  /** Resumes the run. @returns true if it was paused. @throws ClusterError REFUSED when it is over. */
  resume(): boolean {
    if (this.#over) throw this.#over;
    const was = this.#paused;
    this.#paused = this.#reached = false;
    for (const { resolve } of this.#pauses.splice(0)) resolve(false);
    this.#wake?.();
    return was;
  }

  /**
   * Settles with the path of a checkpoint of the next step boundary.
   * @throws ClusterError REFUSED if the run ends first.
   */
  checkpoint(): Promise<string> {
    return this.#request(this.#checkpoints);
  }

  /** At a step boundary: serves requests for a checkpoint. @param save - writes it; its error rejects them too. */
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

  /** At a step boundary of a paused run: settles requests for the pause, and waits for the next request. */
  async nextRequest(): Promise<void> {
    this.#reached = true;
    for (const { resolve } of this.#pauses.splice(0)) resolve(true);
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  /** Rejects open and later requests because the run is over. */
  close(): void {
    this.#over = new ClusterError('REFUSED', 'control: expected a running job, got one that is over');
    for (const { reject } of [...this.#pauses.splice(0), ...this.#checkpoints.splice(0)]) reject(this.#over);
  }

  #request<Value>(queue: Waiter<Value>[]): Promise<Value> {
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      queue.push({ resolve, reject });
      this.#wake?.();
      this.onRequest();
    });
  }
}

/** What a worker is seen to do: how long its steps take, and how much travels. */
export class SessionMeter {
  /** Tensors sent to it and received from it, in bytes. */
  sentBytes = 0;
  receivedBytes = 0;
  /** From its orders for a step to the last of its results, in ms; 0 before the first. */
  stepMs = 0;
  #step = -1;
  #orderedMs = 0;

  ordered(step: number, nowMs: number): void {
    if (step === this.#step) return;
    this.#step = step;
    this.#orderedMs = nowMs;
  }

  delivered(step: number, nowMs: number): void {
    if (step === this.#step) this.stepMs = nowMs - this.#orderedMs;
  }
}

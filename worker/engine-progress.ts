import type { WorkerPhase } from '../proto/messages.js';

const phases = ['idle', 'computing', 'sending'] as const satisfies readonly WorkerPhase[];

/** Progress of the engine thread, in shared memory because the thread answers no message while it computes. */
export class EngineProgress {
  readonly #numbers: Int32Array;

  constructor(readonly memory = new SharedArrayBuffer(8)) {
    this.#numbers = new Int32Array(memory);
  }

  get phase(): (typeof phases)[number] {
    return phases[Atomics.load(this.#numbers, 0)] ?? 'idle';
  }

  /** Set by the engine thread only. */
  set phase(phase: (typeof phases)[number]) {
    Atomics.store(this.#numbers, 0, phases.indexOf(phase));
  }

  /** True once a node of a step was computed. */
  get hasStepped(): boolean {
    return Atomics.load(this.#numbers, 1) > 0;
  }

  noteStep(): void {
    Atomics.store(this.#numbers, 1, 1);
  }
}

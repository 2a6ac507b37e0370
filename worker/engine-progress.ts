import type { WorkerPhase } from '../proto/messages.js';

const phases = ['idle', 'computing', 'sending'] as const satisfies readonly WorkerPhase[];

/** What the engine thread does, in memory that both threads see: while it computes, it could not be asked. */
export class EngineProgress {
  readonly #numbers: Int32Array;

  constructor(readonly memory = new SharedArrayBuffer(8)) {
    this.#numbers = new Int32Array(memory);
  }

  get phase(): (typeof phases)[number] {
    return phases[Atomics.load(this.#numbers, 0)] ?? 'idle';
  }

  /** To be set by the engine thread alone. */
  set phase(phase: (typeof phases)[number]) {
    Atomics.store(this.#numbers, 0, phases.indexOf(phase));
  }

  /** Whether a node of a step was computed. */
  get hasStepped(): boolean {
    return Atomics.load(this.#numbers, 1) > 0;
  }

  noteStep(): void {
    Atomics.store(this.#numbers, 1, 1);
  }
}

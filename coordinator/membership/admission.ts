import { InvariantError } from '../../util/errors.js';
import { ClusterError } from '../../proto/errors.js';
import { decideEngine, decideEngineClass } from './engine-class.js';
import type { EngineClass, RunEngine } from '../../run/run-json.js';

export interface EngineAdmissionOptions {
  readonly numerics: 'strict' | 'mixed';
  /** Engine of a resumed run; undefined if it has no step yet. */
  readonly fixed?: RunEngine | undefined;
  /** Makes the engine durable; awaited before a worker computes. */
  readonly record?: (engine: RunEngine) => Promise<void>;
}

/** Limit for `targets`, which workers report. */
const mostTargets = 16;

/**
 * Admits workers whose engine produces the run's bits. Before the first step it admits all; afterwards those of the
 * run's engine class. With `numerics: mixed` it admits others too, and marks the run as not reproducible.
 */
export class EngineAdmission {
  #run: RunEngine | undefined;
  /** Engines of ready workers, in the order in which they became ready; until the class is fixed. */
  readonly #ready = new Map<string, EngineClass>();

  /** See `RunEngine`. */
  #targets: readonly string[];

  constructor(private readonly options: EngineAdmissionOptions) {
    this.#run = options.fixed;
    this.#targets = options.fixed?.targets ?? [];
  }

  /** Undefined until the class is fixed. */
  get run(): RunEngine | undefined {
    return this.#run;
  }

  /**
   * Admits a ready worker.
   * @returns false if the run must be marked first; see `markMixed`. @throws ClusterError OTHER_ENGINE
   */
  admit(workerId: string, engine: EngineClass): boolean {
    if (!this.#run) {
      this.#ready.delete(workerId);
      this.#ready.set(workerId, engine);
      return true;
    }
    const problem = decideEngine(this.#run.engine, engine, workerId);
    if (problem === undefined) return true;
    if (this.options.numerics === 'strict') throw new ClusterError('OTHER_ENGINE', problem);
    return !this.#run.reproducible;
  }

  /** Notes the instruction set of an admitted worker, as `describeTarget` has it. */
  async noteTarget(target: string): Promise<void> {
    if (this.#targets.includes(target) || this.#targets.length >= mostTargets) return;
    this.#targets = [...this.#targets, target];
    if (!this.#run) return;
    this.#run = { ...this.#run, targets: this.#targets };
    await this.options.record?.(this.#run);
  }

  /** Marks the run as not reproducible, because its bits come from several engine classes. */
  async markMixed(): Promise<void> {
    if (!this.#run) throw new InvariantError('engine admission: the class is not fixed yet');
    const marked = { ...this.#run, reproducible: false };
    await this.options.record?.(marked);
    this.#run = { ...this.#run, reproducible: false };
  }

  /**
   * Fixes the run's engine class to that of most ready workers, unless it is fixed already.
   * @param isReady - true if a worker is still connected and ready.
   * @returns the workers to reject, with the reason.
   */
  async fixClass(isReady: (workerId: string) => boolean): Promise<ReadonlyMap<string, ClusterError>> {
    const others = new Map<string, ClusterError>();
    const ready = [...this.#ready].filter(([workerId]) => isReady(workerId));
    const chosen = decideEngineClass(ready.map(([, engine]) => engine));
    if (this.#run || !chosen) return others;
    for (const [workerId, engine] of ready) {
      const problem = decideEngine(chosen.engine, engine, workerId);
      if (problem !== undefined) others.set(workerId, new ClusterError('OTHER_ENGINE', problem));
    }
    const isMixed = this.options.numerics === 'mixed' && others.size > 0;
    this.#run = { engine: chosen.engine, reproducible: !isMixed, targets: this.#targets };
    this.#ready.clear();
    await this.options.record?.(this.#run);
    return isMixed ? new Map() : others;
  }
}

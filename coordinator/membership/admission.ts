import { InvariantError } from '../../util/errors.js';
import { ClusterError } from '../../proto/errors.js';
import { decideEngine, decideEngineClass } from './engine-class.js';
import type { EngineClass, RunEngine } from '../../run/run-json.js';

export interface EngineDoorOptions {
  readonly numerics: 'strict' | 'mixed';
  /** The engine of a run that goes on; undefined where no step has been made. */
  readonly fixed?: RunEngine | undefined;
  /** Keeps the engine durably; awaited before a worker computes under it. */
  readonly record?: (engine: RunEngine) => Promise<void>;
}

/**
 * Lets workers in by the bits that they compute: before the first step all of them, from then on those of the run's
 * engine class, or with `numerics: mixed` others too, which marks the run.
 */
export class EngineDoor {
  #run: RunEngine | undefined;
  /** Workers by id, in the order in which they became ready; of use until the class is fixed. */
  readonly #ready = new Map<string, EngineClass>();

  constructor(private readonly options: EngineDoorOptions) {
    this.#run = options.fixed;
  }

  /** Undefined until the class is fixed. */
  get run(): RunEngine | undefined {
    return this.#run;
  }

  /**
   * Lets a worker in that is ready.
   * @returns false when the run is to be marked before that worker computes. @throws ClusterError OTHER_ENGINE
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

  /** Marks the run: its bits are no longer those of one engine class. */
  async markMixed(): Promise<void> {
    if (!this.#run) throw new InvariantError('engine door: the class is not fixed yet');
    const marked = { ...this.#run, reproducible: false };
    await this.options.record?.(marked);
    this.#run = marked;
  }

  /**
   * Fixes the class to that of most workers that are ready; nothing changes when it is fixed already.
   * @param isReady - whether a worker is still there and ready.
   * @returns the workers that are to be refused, with the reason.
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
    this.#run = { engine: chosen.engine, reproducible: !isMixed };
    this.#ready.clear();
    await this.options.record?.(this.#run);
    return isMixed ? new Map() : others;
  }
}

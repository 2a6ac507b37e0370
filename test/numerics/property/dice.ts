import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { generatorFor } from '../../../job/random.js';

/** Random choices; the sequence is a function of the key. */
export class Dice {
  readonly #generator: RandomGenerator;

  constructor(...key: readonly (string | number)[]) {
    this.#generator = generatorFor(...key);
  }

  /** From `least` to `most`, both included. */
  int(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]!;
  }

  chance(probability: number): boolean {
    return this.int(0, 999_999) < probability * 1e6;
  }

  /** Each entry with the given probability. */
  some(entries: Readonly<Record<string, () => unknown>>, probability = 0.3): Record<string, unknown> {
    const kept = Object.entries(entries).filter(() => this.chance(probability));
    return Object.fromEntries(kept.map(([key, value]) => [key, value()]));
  }
}

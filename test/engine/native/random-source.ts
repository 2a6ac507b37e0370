/** Reproducible random choices. */
export class RandomSource {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  }

  /** 32 random bits (lowbias32 of a counter, https://nullprogram.com/blog/2018/07/31/). */
  bits(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let h = this.state;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    return (h ^ (h >>> 16)) >>> 0;
  }

  /** From 0 to below 1. */
  unit(): number {
    return this.bits() / 2 ** 32;
  }

  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)]!;
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** The choices in random order. */
  shuffled<T>(choices: readonly T[]): T[] {
    return choices
      .map((choice) => ({ choice, key: this.unit() }))
      .sort((a, b) => a.key - b.key)
      .map(({ choice }) => choice);
  }

  /**
   * f32 numbers of a random kind: ordinary, small integers (many ties), large ones that cancel (so that sums in double
   * precision depend on their order), of any size, or with special values.
   */
  numbers(length: number): Float32Array {
    const kind = this.of(['ordinary', 'ordinary', 'ordinary', 'ties', 'ties', 'large', 'any', 'special'] as const);
    return Float32Array.from({ length }, () => {
      if (kind === 'ties') return this.int(-2, 2);
      if (kind === 'large' && this.chance(0.3)) return this.of([2 ** 56, -(2 ** 56)]);
      if (kind === 'any') return bitsAsFloat(this.bits());
      if (kind === 'special' && this.chance(0.1)) return this.of(specialValues);
      return 4 * this.unit() - 2;
    });
  }
}

const specialValues = [
  ...[0, -0, 1, -1, 0.5, -0.5, 2.5, NaN, Infinity, -Infinity],
  ...[1e-45, -1e-45, 1.1754942e-38, 1e-30, 3.4028235e38, -3.4028235e38, 16777216, 2147483648, -2147483648, 88.73, -104],
];

const word = new Uint32Array(1);

/** Any number; NaNs have quiet bits, because JavaScript may change others. */
function bitsAsFloat(bits: number): number {
  word[0] = bits;
  return new Float32Array(word.buffer)[0]!;
}

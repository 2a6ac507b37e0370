import { describe, expect, it } from 'vitest';
import { nativeVectors, type NativeVectors } from '../../engine/native/vectors.js';
import { createOptimizer, type Optimizer } from '../../job/optimizer.js';
import type { OptimizerSpec } from '../../job/spec.js';
import { plainVectors, type VectorOps } from '../../job/vectors.js';

/** Instruction sets of this CPU that the addon has kernels for. */
const native = (['avx512', 'avx2', 'neon'] as const).flatMap((isa): [string, NativeVectors][] => {
  const vectors = nativeVectors(isa);
  return vectors ? [[isa, vectors]] : [];
});

/** Bit patterns whose arithmetic goes wrong first. */
const edges = Float32Array.of(
  ...[0, -0, NaN, Infinity, -Infinity, 1, -1, 2 ** -149, -(2 ** -149), 2 ** -126, -(2 ** -126)],
  ...[2 ** -127, 3.4028234663852886e38, -3.4028234663852886e38, 1 + 2 ** -23, 1 - 2 ** -24, 16777217, 1e-30, 1e30],
);

/** Numbers 0 to 2^32 − 1, the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
}

/** Of `cancelling` vectors, sums in f64 nearly vanish, so that one rounding more or less shows. */
type Kind = 'ordinary' | 'any bits' | 'edges' | 'cancelling';

function vector(length: number, seed: number, kind: Kind): Float32Array {
  const next = random(seed + 1);
  const values = new Float32Array(length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < length; i++) {
    if (kind === 'any bits') bits[i] = next();
    else if (kind === 'edges') values[i] = edges[(next() >>> 8) % edges.length]!;
    else values[i] = (next() / 2 ** 32 - 0.5) * 10 ** (((next() >>> 8) % 8) - 6);
  }
  return values;
}

/** Bits, with one pattern for every NaN: its payload isn't defined. */
function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.map((value) => (Number.isNaN(value) ? NaN : value)).buffer);
}

function expectSameBits(found: readonly Float32Array[], expected: readonly Float32Array[]): void {
  found.forEach((values, i) => expect(bitsOf(values)).toEqual(bitsOf(expected[i]!)));
}

const lengths = [0, 1, 2, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1000, 1037];
const kinds: readonly Kind[] = ['ordinary', 'any bits', 'edges', 'cancelling'];
const cases = kinds.flatMap((kind) => lengths.map((length) => [length, kind] as const));

const sgd = { type: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const optimizers: readonly OptimizerSpec[] = [
  { ...sgd, momentum: 0 },
  { ...sgd, momentum: 0, weightDecay: 5e-4 },
  sgd,
  { ...sgd, weightDecay: 5e-4 },
  { ...sgd, nesterov: true },
  { ...sgd, nesterov: true, weightDecay: 0.1 },
  { type: 'adam', ...adam, weightDecay: 0 },
  { type: 'adam', ...adam, weightDecay: 0.01 },
  { type: 'adamw', ...adam, weightDecay: 0.01 },
];

const [samples, learningRate] = [245, 0.05];

/** Sets parameters and slots so that the first update's sums nearly vanish: all of them, or in turn with slots of 0. */
function cancel(params: Float32Array, slots: Optimizer['slots'], gradient: Float32Array): void {
  /** The term of a slot that its old value cancels, over the old value's factor. */
  const opposite: Record<string, (mean: number) => number> = {
    momentum: (mean) => -mean / 0.9,
    mean: (mean) => (-mean * (1 - 0.9)) / 0.9,
    square: (mean) => (-mean * mean * (1 - 0.999)) / 0.999,
  };
  gradient.forEach((value, i) => {
    params[i] = (learningRate * value) / samples;
    for (const { name, values } of slots) values[i] = i % 2 === 0 ? opposite[name]!(value / samples) : 0;
  });
}

/** Parameters and slots after three updates in two chunks; slots don't begin at 0. */
function train(spec: OptimizerSpec, length: number, kind: Kind, vectors: VectorOps): Float32Array[] {
  const params = vector(length, 1, kind);
  const optimizer = createOptimizer(spec, length, vectors);
  optimizer.slots.forEach(({ values }, i) => values.set(vector(length, 2 + i, kind)));
  if (kind === 'cancelling') cancel(params, optimizer.slots, vector(length, 10, kind));
  const middle = Math.ceil(length / 3);
  for (let step = 0; step < 3; step++) {
    const gradient = vector(length, 10 + step, kind);
    const update = { samples, learningRate, step };
    optimizer.apply(params, gradient.subarray(middle), update, middle);
    optimizer.apply(params, gradient.subarray(0, middle), update);
  }
  return [params, ...optimizer.slots.map(({ values }) => values)];
}

describe('vector arithmetic in C', () => {
  it.runIf(process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch))('is available here', () => {
    expect(native.length).toBeGreaterThan(0);
  });
});

describe.each(native)('vector arithmetic with %s', (_isa, vectors) => {
  it.each(cases)('adds %i values with the bits of the definition: %s', (length, kind) => {
    const [found, expected] = [vector(length, 1, kind), vector(length, 1, kind)];
    vectors.add(found, vector(length, 2, kind));
    plainVectors.add(expected, vector(length, 2, kind));
    expectSameBits([found], [expected]);
  });

  it.each(optimizers)('updates with the bits of the definition: %o', (spec) => {
    for (const [length, kind] of cases) {
      expectSameBits(train(spec, length, kind, vectors), train(spec, length, kind, plainVectors));
    }
  });

  it('finds a value that is not finite at every place', () => {
    for (const length of lengths) {
      const values = vector(length, 3, 'ordinary').fill(3.4028234663852886e38, 0, length >> 1);
      expect(vectors.allFinite(values)).toBe(true);
      for (const broken of [NaN, Infinity, -Infinity]) {
        for (let i = 0; i < length; i++) {
          const kept = values[i]!;
          values[i] = broken;
          expect(vectors.allFinite(values)).toBe(false);
          values[i] = kept;
        }
      }
    }
  });

  it('works on views, on shared memory, and leaves everything else alone', () => {
    const memory = new Float32Array(new SharedArrayBuffer(4 * 40));
    memory.set(vector(40, 4, 'ordinary'));
    const before = memory.slice();
    vectors.add(memory.subarray(3, 22), vector(19, 5, 'ordinary'));
    const expected = before.slice();
    plainVectors.add(expected.subarray(3, 22), vector(19, 5, 'ordinary'));
    expectSameBits([memory.slice()], [expected]);
  });

  it('rejects vectors of other lengths or types and missing numbers, and changes nothing', () => {
    const params = Float32Array.of(1, 2, 3);
    const gradient = Float32Array.of(1, 2);
    const wrong = Float64Array.of(1, 2, 3) as unknown as Float32Array;
    const constants = { perSample: 1, rate: 1, decay: 0 };
    expect(() => vectors.add(params, gradient)).toThrow('expected Float32Arrays of one length');
    expect(() => vectors.add(params, wrong)).toThrow('expected Float32Arrays of one length');
    expect(() => vectors.sgd({ params, gradient }, constants)).toThrow('expected Float32Arrays of one length');
    expect(() => vectors.sgd({ params, gradient: params.slice() }, { ...constants, decay: undefined! })).toThrow(
      'expected a number',
    );
    expect([...params]).toEqual([1, 2, 3]);
  });
});

describe('the definition of vector arithmetic', () => {
  it('rejects vectors of different lengths', () => {
    expect(() => plainVectors.add(new Float32Array(2), new Float32Array(3))).toThrow('got 2 and 3');
  });

  it('rounds to f32 only when it stores', () => {
    const params = Float32Array.of(1);
    plainVectors.sgd({ params, gradient: Float32Array.of(1) }, { perSample: 2 ** -25, rate: 1, decay: 2 ** -25 });
    // In f32 both terms would vanish against 1; in f64 their sum is half a unit in the last place, rounded to even.
    expect(params[0]).toBe(1 - 2 ** -24);
  });
});

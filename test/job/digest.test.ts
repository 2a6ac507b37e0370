import { describe, expect, it } from 'vitest';
import { chainDigest, jobDigest, stateDigest } from '../../job/digest.js';
import { canonicalJson, sha256Hex } from '../../util/digest.js';
import { presets } from '../../job/presets.js';
import { parseSpec } from '../../job/spec.js';

describe('canonicalJson', () => {
  it('sorts keys at every depth, keeps the order of lists, and has no white space', () => {
    expect(canonicalJson({ b: [2, { d: null, c: 'x\n' }], a: 0.1, A: true })).toBe(
      '{"A":true,"a":0.1,"b":[2,{"c":"x\\n","d":null}]}',
    );
  });

  it('leaves out what is undefined', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it.each([NaN, Infinity, new Float32Array(1), () => 1, [undefined]])(
    "rejects what JSON can't represent: %s",
    (value) => {
      expect(() => canonicalJson(value)).toThrow('internal: canonical JSON: expected a JSON value');
    },
  );
});

describe('sha256Hex', () => {
  it('agrees with the test vector of FIPS 180-4 for "abc", in parts or whole', () => {
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(sha256Hex('abc')).toBe(expected);
    expect(sha256Hex('a', Uint8Array.of(0, 98, 99).subarray(1))).toBe(expected);
  });
});

describe('stateDigest', () => {
  const state = () => ({
    step: 3,
    params: Float32Array.of(1, 2),
    slots: [{ name: 'momentum', values: Float32Array.of(3, 4) }],
    state: Float32Array.of(5),
  });

  it('is fixed', () => {
    expect(stateDigest(state())).toBe('267857cd0087f15be28628fb16c4ef5ab50d326f9604e308e3a42c5945116b37');
  });

  it.each([
    ['the step', { step: 4 }],
    ['one parameter', { params: Float32Array.of(1, 2.0000002) }],
    ['a slot', { slots: [{ name: 'momentum', values: Float32Array.of(3, 5) }] }],
    ["a slot's name", { slots: [{ name: 'mean', values: Float32Array.of(3, 4) }] }],
    [
      'a value moved from the slots to the state',
      { slots: [{ name: 'momentum', values: Float32Array.of(3) }], state: Float32Array.of(4, 5) },
    ],
  ])('changes with %s', (_, change) => {
    expect(stateDigest({ ...state(), ...change })).not.toBe(stateDigest(state()));
  });

  it('distinguishes 0 from -0', () => {
    const withState = (value: number) => stateDigest({ ...state(), state: Float32Array.of(value) });
    expect(withState(0)).not.toBe(withState(-0));
  });
});

describe('jobDigest and chainDigest', () => {
  const spec = parseSpec(presets['cluster-cnn3'].spec);
  const job = { spec, topology: { class_name: 'Sequential' }, datasetDigest: 'd', arithmetic: 1 };

  it('is that of an equal job, and changes with spec, topology, data and arithmetic', () => {
    const others = [
      { ...job, spec: { ...spec, seed: 2 } },
      { ...job, topology: { class_name: 'Model' } },
      { ...job, datasetDigest: 'e' },
      { ...job, arithmetic: 2 },
      { ...job, arithmetic: null },
    ];
    expect(jobDigest(structuredClone(job))).toBe(jobDigest(job));
    expect(new Set([job, ...others].map(jobDigest)).size).toBe(6);
  });

  it('depends on every earlier entry', () => {
    const chain = (...states: string[]) => states.reduce(chainDigest, jobDigest(job));
    expect(chain('a', 'b')).toBe(chain('a', 'b'));
    expect(new Set([chain('a', 'b'), chain('b', 'a'), chain('ab'), chain('x', 'b')]).size).toBe(4);
  });
});

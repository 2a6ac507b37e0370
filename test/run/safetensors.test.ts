import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.js';
import { decodeSafetensors, encodeSafetensors } from '../../run/safetensors.js';

const tensors = [
  { name: 'conv1/kernel', shape: [2, 3], values: Float32Array.of(1, -2, 3.5, 0, -0, NaN) },
  { name: 'empty', shape: [0], values: new Float32Array(0) },
  { name: 'scalar', shape: [], values: Float32Array.of(7) },
];

/** A file with this header and as many bytes of data. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (shape: number[], begin: number, end: number, dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('safetensors', () => {
  it('reads back what was written, metadata included', () => {
    const decoded = decodeSafetensors(encodeSafetensors(tensors, { step: '12' }));
    expect(decoded.tensors).toEqual(tensors);
    expect(decoded.metadata).toEqual({ step: '12' });
  });

  it('begins the data at a multiple of 8 bytes', () => {
    const bytes = encodeSafetensors(tensors);
    expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0);
  });

  it('reads from a Buffer without sharing its memory', () => {
    const buffer = Buffer.from(encodeSafetensors(tensors));
    const [first] = decodeSafetensors(buffer).tensors;
    buffer.fill(0);
    expect(first!.values[0]).toBe(1);
  });

  it('reads a file that another program wrote', () => {
    const path = new URL('../numerics/golden/cnn3-flat.safetensors', import.meta.url);
    const statistics = decodeSafetensors(readFileSync(path)).tensors.find(({ name }) => name === 'statistics');
    expect(statistics!.shape).toEqual([224]);
  });

  it('refuses to write a tensor whose shape does not fit its values', () => {
    const wrong = [{ name: 'w', shape: [3], values: new Float32Array(2) }];
    expect(() => encodeSafetensors(wrong)).toThrow('expected 3 values for w [3], got 2');
  });

  it('refuses to write two tensors of one name', () => {
    expect(() => encodeSafetensors([tensors[2]!, tensors[2]!])).toThrow('expected different names');
  });

  const damaged: [string, Uint8Array, string][] = [
    ['no header length', new Uint8Array(7), 'expected at least 8 bytes, got 7'],
    ['a header longer than the file', file('{}', 0).subarray(0, 9), 'expected a header of at most 1 bytes, got 2'],
    ['a header that is not JSON', file('{"a"', 0), 'expected a JSON header'],
    ['a header that is not UTF-8', file('{}', 0).fill(0xff, 8), 'expected a JSON header'],
    ['a header that is not an object', file([], 0), 'expected a JSON object'],
    ['another dtype', file({ a: entry([1], 0, 4, 'F16') }, 4), 'expected dtype F32 for a, got "F16"'],
    ['a negative dimension', file({ a: entry([-1], 0, 4) }, 4), 'expected a shape for a, got [-1]'],
    ['offsets that do not fit the shape', file({ a: entry([2], 0, 4) }, 4), 'expected 8 bytes for a [2], got 4'],
    ['one offset', file({ a: { dtype: 'F32', shape: [], data_offsets: [0] } }, 4), 'expected two data_offsets for a'],
    ['a gap', file({ a: entry([], 0, 4), b: entry([], 8, 12) }, 12), 'expected b to begin at 4, got 8'],
    ['an overlap', file({ a: entry([2], 0, 8), b: entry([], 4, 8) }, 8), 'expected b to begin at 8, got 4'],
    ['missing data', file({ a: entry([2], 0, 8) }, 7), 'expected 8 bytes of data, got 7'],
    ['superfluous data', file({ a: entry([], 0, 4) }, 5), 'expected 4 bytes of data, got 5'],
    ['metadata that is not text', file({ __metadata__: { a: 1 } }, 0), 'expected strings as __metadata__'],
  ];
  it.each(damaged)('refuses a file with %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(EngineError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  it('refuses every file that is cut off', () => {
    const whole = encodeSafetensors(tensors, { step: '12' });
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors(whole.subarray(0, length))).toThrow(EngineError);
    }
  });
});

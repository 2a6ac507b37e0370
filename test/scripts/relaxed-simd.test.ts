import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
// @ts-expect-error A script in JavaScript, without types.
import { checkRelaxedSimd as check, relaxedOpcodes as opcodes } from '../../scripts/native/relaxed-simd.mjs';

const checkRelaxedSimd = check as (bytes: Uint8Array) => void;
const relaxedOpcodes = opcodes as (bytes: Uint8Array) => Set<number>;

/** In Node.js, but not in its types. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

const prebuilt = readFileSync('engine/native/prebuilt/lockstep.wasm');

/** A length in two bytes. */
const length = ({ length }: readonly number[]) => [128 + (length % 128), Math.floor(length / 128)];
const section = (id: number, bytes: readonly number[]) => [id, ...length(bytes), ...bytes];

/** A module with a memory and one function, without arguments, results and locals. */
function moduleOf(...body: readonly number[]): Uint8Array {
  return moduleWith([0, ...body, 0x0b]);
}

/** @param code - locals and body */
function moduleWith(code: readonly number[]): Uint8Array {
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(10, [1, ...length(code), ...code]),
  );
}

const drop = 0x1a;
/** v128.const with the bytes of a relaxed instruction inside. */
const vector = [0xfd, 0x0c, ...Array.from({ length: 8 }, () => [0xfd, 0x86]).flat()];
const madd = [...vector, ...vector, ...vector, 0xfd, 0x85, 0x02, drop];
const nmadd = [...vector, ...vector, ...vector, 0xfd, 0x86, 0x02, drop];
const swizzle = [...vector, ...vector, 0xfd, 0x80, 0x02, drop];

/** Instructions with immediates in which 0xfd 0x86 0x02 isn't an instruction, and which are valid. */
const withImmediates = {
  'i32.const': [0x41, 0xfd, 0x86, 0x02, drop],
  'i64.const': [0x42, 0xfd, 0x86, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, drop],
  'f32.const': [0x43, 0xfd, 0x86, 0x02, 0x00, drop],
  'f64.const': [0x44, 0xfd, 0x86, 0x02, 0, 0, 0, 0, 0, drop],
  'a load at an offset': [0x41, 0, 0x28, 2, 0xfd, 0x86, 0x02, drop],
  'a load of a lane at an offset': [0x41, 0, ...vector, 0xfd, 0x54, 0, 0xfd, 0x86, 0x02, 15, drop],
  'a shuffle': [...vector, ...vector, 0xfd, 0x0d, ...Array<number>(16).fill(2), drop],
  'a lane': [...vector, 0xfd, 0x15, 2, drop],
  'memory.copy and memory.fill': [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 10, 0, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0],
  'blocks and a table of branches': [0x02, 0x40, 0x03, 0x40, 0x41, 0, 0x0e, 2, 0, 1, 0, 0x0b, 0x0b],
  'a typed select': [0x41, 1, 0x41, 2, 0x41, 3, 0x1c, 1, 0x7f, drop],
  'if and else': [0x41, 1, 0x04, 0x40, 0x01, 0x05, 0x01, 0x0b],
};

describe('relaxed SIMD', () => {
  it('is f32x4.relaxed_madd alone in the prebuilt file', () => {
    expect(relaxedOpcodes(prebuilt)).toEqual(new Set([0x105]));
    expect(() => checkRelaxedSimd(prebuilt)).not.toThrow();
  });

  it('is found next to other instructions', () => {
    const bytes = moduleOf(...madd, ...swizzle, ...madd, ...nmadd);
    expect(relaxedOpcodes(bytes)).toEqual(new Set([0x105, 0x100, 0x106]));
    expect(() => checkRelaxedSimd(bytes)).toThrow('got 0xfd 0x100, 0xfd 0x106, whose results depend on the CPU');
  });

  it.each(Object.entries(withImmediates))('is not found in the immediates of %s', (_, body) => {
    expect(WebAssembly.validate(moduleOf(...body))).toBe(true);
    expect(relaxedOpcodes(moduleOf(...body))).toEqual(new Set());
    expect(relaxedOpcodes(moduleOf(...body, ...nmadd))).toEqual(new Set([0x106]));
  });

  it.each([
    ['an unknown opcode', moduleOf(0x06), 'expected a known opcode, got the bytes'],
    ['an unknown opcode after 0xfc', moduleOf(0xfc, 0x12), 'expected a known opcode after 0xfc'],
    ['an unassigned opcode after 0xfd', moduleOf(0xfd, 0x9a, 0x01), 'expected a known opcode after 0xfd'],
    ['an opcode beyond relaxed SIMD', moduleOf(0xfd, 0x95, 0x02), 'expected a known opcode after 0xfd'],
    ['locals of an unknown type', moduleWith([1, 1, 0x63, 0x70, 0x0b]), 'expected a known type'],
    ['a block without an end', moduleOf(0x02, 0x40), 'expected another byte'],
    ['an end too many', moduleOf(0x0b), 'expected the end of a function'],
    ['a truncated module', prebuilt.subarray(0, 5000), 'more bytes'],
    ['no module', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 'expected a WebAssembly module'],
  ])('cannot be looked for in a module with %s', (_, bytes, message) => {
    expect(() => relaxedOpcodes(bytes)).toThrow(message);
  });
});

// Relaxed SIMD leaves results to the CPU; only a fused multiply-add is the same on all that Lockstep supports:
// https://github.com/WebAssembly/relaxed-simd. Opcodes and immediates: https://webassembly.github.io/spec/core/binary/

const relaxedMadd = 0x105;
const codeSection = 10;

/** @throws Error if a WebAssembly module has a relaxed instruction other than f32x4.relaxed_madd. */
export function checkRelaxedSimd(bytes) {
  const others = [...relaxedOpcodes(bytes)].filter((opcode) => opcode !== relaxedMadd);
  if (others.length === 0) return;
  const found = others.map((opcode) => `0xfd 0x${opcode.toString(16)}`).join(', ');
  throw new Error(
    `native: expected no relaxed SIMD but f32x4.relaxed_madd (0xfd 0x105), got ${found}, whose results depend on the CPU`,
  );
}

/**
 * Relaxed SIMD opcodes in the functions of a WebAssembly module, without their prefix 0xfd.
 *
 * @param {Uint8Array} bytes
 * @returns {Set<number>}
 * @throws Error for an instruction that this decoder doesn't know, or a damaged module.
 */
export function relaxedOpcodes(bytes) {
  const reader = new Reader(bytes);
  if (reader.u32le() !== 0x6d736100 || reader.u32le() !== 1) throw reader.error('a WebAssembly module of version 1');
  const found = new Set();
  while (!reader.atEnd()) {
    const id = reader.byte();
    const end = reader.endOf(reader.leb());
    if (id === codeSection) {
      for (let count = reader.leb(); count > 0; count--) addFunction(reader, found);
      if (reader.at !== end) throw reader.error('the end of the code section');
    }
    reader.at = end;
  }
  return found;
}

function addFunction(reader, found) {
  const end = reader.endOf(reader.leb());
  for (let groups = reader.leb(); groups > 0; groups--) {
    reader.leb(); // Number of locals.
    skip(reader, 'type'); // Their type.
  }
  // The function's own block, and those inside it: the end of the first must be that of the function.
  for (let depth = 1; depth > 0;) {
    const opcode = reader.byte();
    if (opcode === 0xfd) addVector(reader, found);
    else if (opcode === 0xfc) skipMany(reader, 'a known opcode after 0xfc', prefixedImmediates(reader.leb()));
    else skipMany(reader, 'a known opcode', immediates(opcode));
    if (opcode >= 0x02 && opcode <= 0x04) depth++;
    if (opcode === 0x0b) depth--;
  }
  if (reader.at !== end) throw reader.error('the end of a function');
}

function addVector(reader, found) {
  const opcode = reader.leb();
  skipMany(reader, 'a known opcode after 0xfd', vectorImmediates(opcode));
  if (opcode >= 0x100) found.add(opcode);
}

/** Immediates of the instructions without a prefix; undefined for unknown ones. */
function immediates(opcode) {
  if (opcode <= 0x01 || opcode === 0x05 || opcode === 0x0b || opcode === 0x0f) return []; // unreachable, nop, else, end
  if (opcode >= 0x02 && opcode <= 0x04) return ['leb']; // block, loop, if
  if (opcode === 0x0c || opcode === 0x0d || opcode === 0x10) return ['leb']; // br, br_if, call
  if (opcode === 0x0e) return ['labels', 'leb']; // br_table
  if (opcode === 0x11) return ['leb', 'leb']; // call_indirect
  if (opcode === 0x1a || opcode === 0x1b) return []; // drop, select
  if (opcode === 0x1c) return ['leb', 'type']; // select with a type; the number of types is 1
  if (opcode >= 0x20 && opcode <= 0x26) return ['leb']; // variables and tables
  if (opcode >= 0x28 && opcode <= 0x3e) return ['memory']; // loads and stores
  if (opcode >= 0x3f && opcode <= 0x42) return ['leb']; // memory.size, memory.grow, i32.const, i64.const
  if (opcode === 0x43) return [4]; // f32.const
  if (opcode === 0x44) return [8]; // f64.const
  if (opcode >= 0x45 && opcode <= 0xc4) return []; // numbers
  if (opcode === 0xd0 || opcode === 0xd2) return ['leb']; // ref.null, ref.func
  if (opcode === 0xd1) return []; // ref.is_null
  return undefined;
}

/** Immediates after 0xfc: saturating conversions, and bulk operations on memories and tables. */
function prefixedImmediates(opcode) {
  if (opcode <= 7) return [];
  if ([8, 10, 12, 14].includes(opcode)) return ['leb', 'leb']; // init and copy
  if ([9, 11, 13, 15, 16, 17].includes(opcode)) return ['leb']; // drop, fill, grow and size
  return undefined;
}

/** Opcodes after 0xfd that aren't assigned. */
const unassigned = [
  ...[0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6],
  ...[0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee],
];

/** Immediates after 0xfd. */
function vectorImmediates(opcode) {
  if (opcode <= 0x0b || opcode === 0x5c || opcode === 0x5d) return ['memory']; // loads and a store
  if (opcode === 0x0c || opcode === 0x0d) return [16]; // v128.const, i8x16.shuffle
  if (opcode >= 0x15 && opcode <= 0x22) return [1]; // extract and replace a lane
  if (opcode >= 0x54 && opcode <= 0x5b) return ['memory', 1]; // load and store a lane
  return opcode > 0x114 || unassigned.includes(opcode) ? undefined : [];
}

function skipMany(reader, expected, immediates) {
  if (immediates === undefined) throw reader.error(expected);
  for (const immediate of immediates) skip(reader, immediate);
}

/** Skips one immediate, or that many bytes. */
function skip(reader, immediate) {
  switch (immediate) {
    case 'leb':
      return void reader.leb();
    case 'type':
      if (![0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f].includes(reader.byte())) throw reader.error('a known type');
      return;
    case 'labels':
      for (let count = reader.leb(); count > 0; count--) reader.leb();
      return;
    case 'memory':
      // Alignment and offset; from 64 on, the number of a memory follows.
      if (reader.leb() >= 64) reader.leb();
      return void reader.leb();
    default:
      reader.at = reader.endOf(immediate);
  }
}

class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  atEnd() {
    return this.at === this.bytes.length;
  }

  byte() {
    if (this.atEnd()) throw this.error('another byte');
    return this.bytes[this.at++];
  }

  u32le() {
    return this.byte() + this.byte() * 2 ** 8 + this.byte() * 2 ** 16 + this.byte() * 2 ** 24;
  }

  /** A LEB128 number. Signed ones are only skipped, so their sign doesn't matter. */
  leb() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 63) throw this.error('a number of at most 10 bytes');
    }
  }

  /** Position after `count` more bytes. */
  endOf(count) {
    const end = this.at + count;
    if (end > this.bytes.length) throw this.error(`${count} more bytes`);
    return end;
  }

  error(expected) {
    const before = Array.from(this.bytes.subarray(Math.max(0, this.at - 4), this.at), (byte) => byte.toString(16));
    return new Error(`relaxed SIMD: expected ${expected}, got the bytes ${before.join(' ')} before ${this.at}`);
  }
}

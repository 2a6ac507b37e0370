import { EngineError } from '../engine/errors.js';
import { type Shape, show, sizeOf } from '../engine/ir/shape.js';

/** One f32 tensor of a safetensors file. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float32Array;
}

export interface SafetensorsFile {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit, 100 MB: a larger header counts as damage. */
const maxHeaderBytes = 100_000_000;
const metadataKey = '__metadata__';

/**
 * Writes f32 tensors in the safetensors format (https://github.com/huggingface/safetensors): the header's length as
 * u64, a JSON header padded with spaces to 8 bytes, then the data without gaps, all little-endian.
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header = safetensorsHeader(tensors, metadata);
  const file = new Uint8Array(header.length + tensors.reduce((sum, { values }) => sum + values.byteLength, 0));
  file.set(header);
  let offset = header.length;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return file;
}

/** The bytes before the tensors' values, which follow one after the other; for writing these without a copy. */
export function safetensorsHeader(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const json = new TextEncoder().encode(headerOf(tensors, metadata));
  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(32, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(json, 8);
  return header;
}

function headerOf(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): string {
  let end = 0;
  const entries = tensors.map(({ name, shape, values }) => {
    if (sizeOf(shape) !== values.length) {
      throw badFile('encode', `expected ${sizeOf(shape)} values for ${name} ${show(shape)}, got ${values.length}`);
    }
    const offsets = [end, (end += values.byteLength)];
    return [name, { dtype: 'F32', shape, data_offsets: offsets }] as const;
  });
  const names = new Set(entries.map(([name]) => name));
  if (names.size !== entries.length || names.has(metadataKey)) {
    throw badFile('encode', `expected different names, none of them ${metadataKey}, got ${[...names].join(', ')}`);
  }
  return JSON.stringify({ [metadataKey]: metadata, ...Object.fromEntries(entries) });
}

/**
 * Decodes a safetensors file of f32 tensors. The values are copies.
 * @throws EngineError BAD_FILE unless the file is valid to the last byte.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, begin } = readHeader(bytes);
  const metadata = metadataOf(header[metadataKey]);
  const entries = Object.entries(header).filter(([name]) => name !== metadataKey);
  const places = entries
    .map(([name, value]) => placeOf(name, value))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  const dataBytes = bytes.length - begin;
  let end = 0;
  for (const place of places) {
    if (place.begin !== end) throw badFile('decode', `expected ${place.name} to begin at ${end}, got ${place.begin}`);
    end = place.end;
  }
  if (end !== dataBytes) throw badFile('decode', `expected ${end} bytes of data, got ${dataBytes}`);
  const tensors = places.map(({ name, shape, begin: first, end: last }) => ({
    name,
    shape,
    values: new Float32Array(new Uint8Array(bytes.subarray(begin + first, begin + last)).buffer),
  }));
  return { tensors, metadata };
}

type Json = Readonly<Record<string, unknown>>;
interface Place {
  readonly name: string;
  readonly shape: Shape;
  /** Bytes from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

function readHeader(bytes: Uint8Array): { header: Json; begin: number } {
  if (bytes.length < 8) throw badFile('decode', `expected at least 8 bytes, got ${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const limit = Math.min(maxHeaderBytes, bytes.length - 8);
  if (length > limit) throw badFile('decode', `expected a header of at most ${limit} bytes, got ${length}`);
  const begin = 8 + Number(length);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, begin));
    const header: unknown = JSON.parse(text);
    if (isObject(header)) return { header, begin };
  } catch (cause) {
    throw badFile('decode', `expected a JSON header, got ${(cause as Error).message}`, cause);
  }
  throw badFile('decode', 'expected a JSON object as header, got something else');
}

function placeOf(name: string, value: unknown): Place {
  const entry: Json = isObject(value) ? value : {};
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32') throw badFile('decode', `expected dtype F32 for ${name}, got ${JSON.stringify(dtype)}`);
  if (!isCounts(shape)) throw badFile('decode', `expected a shape for ${name}, got ${JSON.stringify(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw badFile('decode', `expected two data_offsets for ${name}, got ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (end - begin !== 4 * sizeOf(shape)) {
    throw badFile('decode', `expected ${4 * sizeOf(shape)} bytes for ${name} ${show(shape)}, got ${end - begin}`);
  }
  return { name, shape, begin, end };
}

function metadataOf(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (isObject(value) && Object.values(value).every((item) => typeof item === 'string')) {
    return value as Record<string, string>;
  }
  throw badFile('decode', `expected strings as ${metadataKey}, got ${JSON.stringify(value)}`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function badFile(operation: 'encode' | 'decode', problem: string, cause?: unknown): EngineError {
  return new EngineError('BAD_FILE', `${operation} safetensors: ${problem}; the file is damaged, use another`, {
    cause,
  });
}

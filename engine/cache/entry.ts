import { createHash } from 'node:crypto';
import type { MaskInfo } from '../engine.js';

/** Properties of a program in addition to its ONNX model; JSON. */
interface ProgramFacts {
  /** Length of `params`. */
  readonly parameterCount: number;
  /** Length of `state`; 0 without running statistics. */
  readonly stateCount: number;
  /** Dropout masks, in the order of the layers' calls. */
  readonly masks: readonly MaskInfo[];
}

/** A compiled program. */
export interface CompiledProgram extends ProgramFacts {
  /** The ONNX model. */
  readonly bytes: Uint8Array;
}

const newline = 10;

/** Encodes a cache file: one line of JSON with the digest of the rest, then the ONNX model. */
export function encodeEntry(key: string, { bytes, ...facts }: CompiledProgram): Uint8Array[] {
  const line = JSON.stringify({ sha256: entryDigest(key, facts, bytes), facts });
  return [new TextEncoder().encode(`${line}\n`), bytes];
}

/** Decodes a cache file; undefined unless it is exactly what was written for this key. */
export function decodeEntry(key: string, file: Uint8Array): CompiledProgram | undefined {
  const end = file.indexOf(newline);
  const head = end < 0 ? null : readHead(file.subarray(0, end));
  if (head === null) return undefined;
  const bytes = new Uint8Array(file.buffer, file.byteOffset + end + 1, file.length - end - 1);
  return entryDigest(key, head.facts, bytes) === head.sha256 ? { ...head.facts, bytes } : undefined;
}

/** First line, not verified yet. */
function readHead(line: Uint8Array): { readonly sha256: string; readonly facts: ProgramFacts } | null {
  try {
    return JSON.parse(new TextDecoder().decode(line)) as ReturnType<typeof readHead>;
  } catch {
    return null;
  }
}

/** Digest of an entry. Includes the key, so that a renamed file is rejected. */
function entryDigest(key: string, facts: ProgramFacts, bytes: Uint8Array): string {
  return createHash('sha256')
    .update(JSON.stringify([key, facts]))
    .update(bytes)
    .digest('hex');
}

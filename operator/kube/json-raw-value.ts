import { createHash, type Hash } from 'node:crypto';

/** Reading JSON values to their end without parsing them. */

/** Replaces a value that isn't stored. */
export interface Measured {
  readonly type: 'string' | 'object' | 'array' | 'other';
  /** Bytes of its JSON text. */
  readonly bytes: number;
  /** Digest of its JSON text, hexadecimal. */
  readonly sha256: string;
  /** Its JSON text; with `text` only. */
  readonly text?: string;
}

/** A partially read value. */
export interface RawValue {
  readonly keep: 'nothing' | 'all' | 'digest' | 'text';
  readonly type: Measured['type'];
  readonly hash: Hash | undefined;
  readonly text: Buffer[];
  bytes: number;
  level: number;
  /** Maximum level so far. */
  levels: number;
  quoted: boolean;
  /** The previous chunk ended within an escape. */
  escaped: boolean;
}

/** Bytes with a meaning in JSON. */
export const bytes = {
  ...{ quote: 0x22, backslash: 0x5c, comma: 0x2c, colon: 0x3a },
  ...{ openBrace: 0x7b, closeBrace: 0x7d, openBracket: 0x5b, closeBracket: 0x5d },
} as const;
const { quote, backslash, comma, openBrace, closeBrace, openBracket, closeBracket } = bytes;

/** Position after the value; undefined if it doesn't end in this chunk. */
export function endOfRawValue(raw: RawValue, chunk: Buffer, at: number): number | undefined {
  return raw.type === 'other' ? endOfScalar(chunk, at) : endOfValue(raw, chunk, at);
}

/** Starts reading a value. @param byte - its first byte. */
export function startRawValue(keep: RawValue['keep'], byte: number): RawValue {
  const hash = keep === 'digest' || keep === 'text' ? createHash('sha256') : undefined;
  return { keep, type: typeOf(byte), hash, text: [], bytes: 0, level: 0, levels: 0, quoted: false, escaped: false };
}

function typeOf(byte: number): Measured['type'] {
  if (byte === quote) return 'string';
  if (byte === openBrace) return 'object';
  return byte === openBracket ? 'array' : 'other';
}

export function measure({ type, bytes, keep, text }: RawValue, hash: Hash): Measured {
  const sha256 = hash.digest('hex');
  return { type, bytes, sha256, ...(keep === 'text' && { text: Buffer.concat(text).toString('utf8') }) };
}

/** End of a number or literal: the position of the first byte after it. */
function endOfScalar(chunk: Buffer, at: number): number | undefined {
  for (; at < chunk.length; at += 1) {
    const byte = chunk[at]!;
    if (byte <= 0x20 || byte === comma || byte === closeBrace || byte === closeBracket) return at;
  }
  return undefined;
}

/** Position after the end of a text, object or array that started in this chunk or earlier. */
function endOfValue(raw: RawValue, chunk: Buffer, at: number): number | undefined {
  let { level, levels, quoted, escaped } = raw;
  let end: number | undefined;
  while (end === undefined && at < chunk.length) {
    const byte = chunk[at]!;
    at += 1;
    if (quoted) {
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quote) {
        quoted = false;
        if (level === 0) end = at;
      }
    } else if (byte === quote) quoted = true;
    else if (byte === openBrace || byte === openBracket) {
      level += 1;
      if (level > levels) levels = level;
    } else if (byte === closeBrace || byte === closeBracket) {
      level -= 1;
      if (level === 0) end = at;
    }
  }
  Object.assign(raw, { level, levels, quoted, escaped });
  return end;
}

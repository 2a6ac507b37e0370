import { createHash } from 'node:crypto';
import { InvariantError } from './errors.js';

/** SHA-256 of the concatenated parts, in hexadecimal; strings as UTF-8, arrays as their bytes in memory. */
export function sha256Hex(...parts: readonly (string | NodeJS.ArrayBufferView)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/**
 * JSON with sorted keys and without white space, so that equal values give equal text (the scheme of RFC 8785).
 * Undefined properties are left out, as in JSON.stringify.
 * @throws InvariantError on a value that JSON cannot express: NaN, infinities, functions, class instances.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isPlainObject(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    return `{${keys
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`)
      .join(',')}}`;
  }
  throw new InvariantError(`canonical JSON: expected a JSON value, got ${typeof value}`);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

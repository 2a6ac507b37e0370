/** @returns undefined for invalid or missing JSON; a schema then reports it. */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** As `parseJson`, for untrusted bytes; also undefined if there are more than `maxBytes`. */
export function parseBytes(bytes: Uint8Array, maxBytes: number): unknown {
  return bytes.length > maxBytes ? undefined : parseJson(new TextDecoder().decode(bytes));
}

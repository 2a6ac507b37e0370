/** @returns undefined for what is no JSON, or not there; a schema then reports it. */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** As `parseJson`, of bytes that anybody may have sent; undefined, too, when there are more than `maxBytes`. */
export function parseBytes(bytes: Uint8Array, maxBytes: number): unknown {
  return bytes.length > maxBytes ? undefined : parseJson(new TextDecoder().decode(bytes));
}

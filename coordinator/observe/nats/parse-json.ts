/** @returns undefined for what is no JSON, or not there; a schema finds fault with that. */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

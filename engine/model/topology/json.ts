/** An object of a topology. */
export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `kernelSize` as `kernel_size`; other spellings stay as they are. */
export function toSnake(word: string): string {
  if (!/^[a-z][a-z\d]*([A-Z][a-z\d]*)+$/.test(word)) return word;
  return word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** True if two JSON values are equal, regardless of the order of their keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  return show(sorted(a)) === show(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])); // prettier-ignore
}

/** A value for a message, cut if it is long. */
export function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

export function brief(value: unknown): string {
  const text = show(value);
  return text.length > 100 ? `${text.slice(0, 97)}…` : text;
}

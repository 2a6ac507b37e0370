/**
 * Control characters except line breaks and tabs, lone surrogates, line separators, and bidirectional controls. They
 * could move the cursor, set a terminal's title or clipboard, or disguise text.
 */
const controls = /(?![\n\t])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Escapes control characters of untrusted text, such as file names, as JSON does: `\u001b`. */
export function visible(text: string): string {
  return text.replace(controls, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

type Printer = Pick<Console, 'error' | 'info' | 'log' | 'warn'>;

/** Makes a console escape control characters. Progress bars write to the stream directly and aren't affected. */
export function showControls(target: Printer): void {
  for (const name of ['error', 'info', 'log', 'warn'] as const) {
    const print = target[name].bind(target);
    target[name] = (...values: unknown[]) =>
      print(...values.map((value) => (typeof value === 'string' ? visible(value) : value)));
  }
}

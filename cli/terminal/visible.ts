/**
 * Controls but line breaks and tabs, halves of characters, line separators, and what reverses a line: they could move
 * the cursor, set a terminal's title or clipboard, or make a text look like another.
 */
const controls = /(?![\n\t])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text of others, such as names of files and classes, for a terminal: controls are shown as `\u001b`, as JSON has them. */
export function visible(text: string): string {
  return text.replace(controls, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

type Printer = Pick<Console, 'error' | 'info' | 'log' | 'warn'>;

/** Has a console print text as `visible` makes it. What draws on the terminal writes to its stream, past the console. */
export function showControls(target: Printer): void {
  for (const name of ['error', 'info', 'log', 'warn'] as const) {
    const print = target[name].bind(target);
    target[name] = (...values: unknown[]) =>
      print(...values.map((value) => (typeof value === 'string' ? visible(value) : value)));
  }
}

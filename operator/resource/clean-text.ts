/** Control characters except line breaks; a terminal would interpret them. */
const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;

/**
 * At most `max` UTF-16 units of `text`, well-formed and without control characters.
 *
 * Applied to all text from a job's containers before it is stored. The result is a copy, because a slice would keep the
 * whole text in memory. The API server would change a lone surrogate.
 */
export function cleanText(text: string, max: number): string {
  const short = text.length <= max ? text : `${text.slice(0, max - 1)}…`;
  return Buffer.from(short.replace(control, ' ')).toString();
}

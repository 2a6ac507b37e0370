/** Control characters, which a terminal would obey, but for the end of a line. */
const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;

/**
 * At most `max` UTF-16 units of `text`, well-formed and without control characters.
 *
 * Text from a job's own containers goes through here before it is kept. The result is a copy: a slice would keep the
 * whole text in memory. Half a surrogate pair would come back from the API server as another text than was written.
 */
export function cleanText(text: string, max: number): string {
  const short = text.length <= max ? text : `${text.slice(0, max - 1)}…`;
  return Buffer.from(short.replace(control, ' ')).toString();
}

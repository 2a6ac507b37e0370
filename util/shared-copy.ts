/** Bytes of a machine word. */
const WORD = 8;
/** The longest piece that goes through `between`; longer ones never come. */
const longest = 256 * 1024;
const between = new Uint8Array(longest + WORD);

/**
 * Copies `source` into `target` from byte `at` on, which threads may share.
 *
 * Into shared memory V8 copies word by word where both sides are aligned alike, else byte by byte, which takes ten times
 * as long. What came from the network begins anywhere, so it goes by a place that is aligned as the target is.
 */
export function copyShared(source: Uint8Array, target: Uint8Array, at: number): void {
  const shift = (target.byteOffset + at) % WORD;
  const isAlike = source.byteOffset % WORD === shift;
  if (isAlike || source.length > longest || !(target.buffer instanceof SharedArrayBuffer)) {
    return target.set(source, at);
  }
  const aligned = between.subarray(shift, shift + source.length);
  aligned.set(source);
  target.set(aligned, at);
}

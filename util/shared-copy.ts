/** Bytes of a machine word. */
const WORD = 8;
/** Longest source that is copied by way of `between`. */
const longest = 256 * 1024;
const between = new Uint8Array(longest + WORD);

/**
 * Copies `source` into `target` from byte `at` on. The target may be shared memory.
 *
 * V8 copies into shared memory word by word if both sides have the same alignment, else byte by byte, which is ten times
 * slower. Bytes from the network may have any alignment, so they are first copied to a place aligned like the target.
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

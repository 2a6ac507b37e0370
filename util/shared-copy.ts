/** Bytes of a machine word. */
const WORD = 8;
/** Longest copy that goes through `between`; chunks are never longer. */
const longest = 256 * 1024;
const between = new Uint8Array(longest + WORD);

/**
 * Copies `source` to byte `at` of `target`, which threads may share.
 *
 * V8 copies into shared memory word by word if both sides have the same alignment, else byte by byte, which takes ten times
 * as long. Data from the network may begin at any address, so it is first copied to memory with the target's alignment.
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

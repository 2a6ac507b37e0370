/** A file of the cache. */
export interface CachedFile {
  readonly name: string;
  readonly bytes: number;
  /** When it was last written or read, ms since 1970. */
  readonly usedMs: number;
}

/** The files to remove so that the others fit into `limitBytes`: those that were not used for longest. */
export function decideEviction(files: readonly CachedFile[], limitBytes: number): string[] {
  let kept = 0;
  return [...files]
    .sort((a, b) => b.usedMs - a.usedMs)
    .filter(({ bytes }) => (kept += bytes) > limitBytes)
    .map(({ name }) => name);
}

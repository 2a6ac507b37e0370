/**
 * Nearest candidates that `word` may be a misspelling of: at most one edit per three letters, several if equally near.
 * Ignores case.
 */
export function nearest(word: string, candidates: Iterable<string>): string[] {
  const ranked = [...candidates]
    .map((candidate) => ({ candidate, edits: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.ceil(Math.max(word.length, candidate.length) / 3));
  const fewest = Math.min(...ranked.map(({ edits }) => edits));
  return ranked.filter(({ edits }) => edits === fewest).map(({ candidate }) => candidate);
}

/** `; did you mean a or b?`, or an empty string without suggestions. */
export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? '' : `; did you mean ${suggestions.join(' or ')}?`;
}

/** Insertions, deletions and replacements of one letter that turn `a` into `b` (Levenshtein; Wagner & Fischer 1974). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

import { distance } from 'fastest-levenshtein';

/**
 * Nearest candidates that `word` may be a misspelling of: at most one edit per three letters, several if equally near.
 * Ignores case.
 */
export function nearest(word: string, candidates: Iterable<string>): string[] {
  const ranked = [...candidates]
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.ceil(Math.max(word.length, candidate.length) / 3));
  const fewest = Math.min(...ranked.map(({ edits }) => edits));
  return ranked.filter(({ edits }) => edits === fewest).map(({ candidate }) => candidate);
}

/** `; did you mean a or b?`, or an empty string without suggestions. */
export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? '' : `; did you mean ${suggestions.join(' or ')}?`;
}

import { JobError } from './errors.js';

/** Limits of a spec file, which may be untrusted. They bound parsing to seconds and 0.5 GB. */

/** A model of a thousand layers takes 1 MB. */
export const maxSpecBytes = 2 * 1024 * 1024;
/** Nested lists and sections. */
const maxDepth = 200;
/** Problems listed in a message. */
const maxListed = 50;

/**
 * Checks the size and nesting of a spec's text before it is parsed.
 * @throws JobError BAD_SPEC
 */
export function checkSpecText(text: string, fileName: string): void {
  if (text.length > maxSpecBytes) throw tooLarge(fileName);
  const depth = depthOf(text);
  if (depth <= maxDepth) return;
  throw new JobError(
    'BAD_SPEC',
    `spec file: expected at most ${maxDepth} nested lists and sections, got ${depth} or more; ${fileName}; flatten it`,
  );
}

export function tooLarge(fileName: string): JobError {
  const limit = `${maxSpecBytes / 1024 / 1024} MiB`;
  const advice = 'put the topology of a large model into a separate file and set model to its path';
  return new JobError('BAD_SPEC', `spec file: expected at most ${limit}, got more; ${fileName}; ${advice}`);
}

/** One line per item for the first items, then a line with the number of others. */
export function listFirst<Item>(items: readonly Item[], describe: (item: Item) => string): string[] {
  const rest = items.length - maxListed;
  const listed = items.slice(0, maxListed).map(describe);
  return rest > 0 ? [...listed, `  and ${rest} more`] : listed;
}

/**
 * Estimates the nesting from open brackets, including those in quotes, and from indentation of two columns per level.
 */
function depthOf(text: string): number {
  let [open, indentation, deepest, isIndentation] = [0, 0, 0, true];
  for (const char of text) {
    if (char === '[' || char === '{') open++;
    else if (char === ']' || char === '}') open = Math.max(0, open - 1);
    if (char === '\n') [indentation, isIndentation] = [0, true];
    else if (isIndentation && ' \t-?:'.includes(char)) indentation++;
    else isIndentation = false;
    deepest = Math.max(deepest, open, indentation / 2);
  }
  return Math.floor(deepest);
}

import { z } from 'zod';
import { didYouMean, nearest } from './hint.js';

/** A place in a spec, e.g. `['optimizer', 'learningRate']`. */
export type SpecPath = readonly PropertyKey[];

/** One problem of a spec. */
export interface SpecProblem {
  readonly path: SpecPath;
  readonly message: string;
}

/** The schema's findings, one problem per unknown key, with a suggestion where a key looks misspelt or misplaced. */
export function specProblems(issues: readonly z.core.$ZodIssue[], schema: z.ZodType): SpecProblem[] {
  return issues.flatMap((issue): SpecProblem[] => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
    const paths = knownPaths(z.toJSONSchema(schema, { io: 'input' }));
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: unknownKey(issue.path, key, paths) }));
  });
}

function unknownKey(section: SpecPath, key: string, paths: readonly string[][]): string {
  const isKnown = paths.some((path) => path.join('.') === [...section, key].join('.'));
  return isKnown ? 'unknown key with this type' : `unknown key${didYouMean(suggestions(section, key, paths))}`;
}

/** Keys of the same section that are spelt alike; else the places where a key of exactly this name exists. */
function suggestions(section: SpecPath, key: string, paths: readonly string[][]): string[] {
  const siblings = paths.filter((path) => path.slice(0, -1).join('.') === section.join('.'));
  const alike = nearest(key, siblings.map(lastKey));
  const chosen =
    alike.length > 0
      ? siblings.filter((path) => alike.includes(lastKey(path)))
      : paths.filter((path) => lastKey(path) === key);
  return chosen.map((path) => path.join('.'));
}

function lastKey(path: readonly string[]): string {
  return path.at(-1)!;
}

/** The paths of all keys that a JSON schema knows, without repetition. */
function knownPaths(schema: z.core.JSONSchema._JSONSchema, prefix: readonly string[] = []): string[][] {
  if (typeof schema === 'boolean') return [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const path = [...prefix, key];
    return [path, ...knownPaths(value, path)];
  });
  const variants = (schema.oneOf ?? []).flatMap((variant) => knownPaths(variant, prefix));
  return [...new Map([...own, ...variants].map((path) => [path.join('.'), path])).values()];
}

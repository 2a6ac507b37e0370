import { z } from 'zod';
import { describeExpected, type JsonSchema, schemasAt, showValue } from './expected.js';
import { didYouMean, nearest } from '../util/hint.js';

/** Path of a field, e.g. `['optimizer', 'learningRate']`. */
export type SpecPath = readonly PropertyKey[];

/** One problem of a spec or of another object written by a user. */
export interface SpecProblem {
  readonly path: SpecPath;
  readonly message: string;
}

/** JSON schema of a user's input. Types that JSON lacks are represented by their description. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

/**
 * One problem per field from zod's issues: expected and actual value, or an unknown key with a suggestion if it looks
 * misspelled or misplaced.
 */
export function specProblems(issues: readonly z.core.$ZodIssue[], schema: z.ZodType, value: unknown): SpecProblem[] {
  const json = inputSchema(schema);
  const problems = issues.flatMap((issue): SpecProblem[] => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: describeIssue(issue, json, value) }];
    const paths = knownPaths(json);
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: unknownKey(issue.path, key, paths) }));
  });
  return [...new Map(problems.map((problem) => [`${problem.path.join('.')}: ${problem.message}`, problem])).values()];
}

/** Distinct paths of all keys in a JSON schema. */
export function knownPaths(schema: JsonSchema, prefix: readonly string[] = []): string[][] {
  if (typeof schema === 'boolean') return [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const path = [...prefix, key];
    return [path, ...knownPaths(value, path)];
  });
  const variants = (schema.oneOf ?? []).flatMap((variant) => knownPaths(variant, prefix));
  return [...new Map([...own, ...variants].map((path) => [path.join('.'), path])).values()];
}

/** Message of an issue. Custom checks have complete messages; formats have only the expectation. */
function describeIssue(issue: z.core.$ZodIssue, schema: JsonSchema, value: unknown): string {
  if (issue.code === 'custom') return issue.message;
  const found = valueAt(value, issue.path);
  const schemas = schemasAt(schema, issue.path, value);
  const expected = issue.code === 'invalid_format' ? issue.message : describeExpected(schemas);
  const wantsText = schemas.some(({ type }) => type === 'string');
  const advice = wantsText && isPlain(found) ? '; put it in quotes to make it text' : '';
  return `expected ${expected ?? 'another value'}, got ${showValue(found)}${advice}`;
}

function isPlain(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

function valueAt(value: unknown, path: SpecPath): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

function unknownKey(section: SpecPath, key: string, paths: readonly string[][]): string {
  const isKnown = paths.some((path) => path.join('.') === [...section, key].join('.'));
  return isKnown ? 'unknown key with this type' : `unknown key${didYouMean(suggestions(section, key, paths))}`;
}

/** Keys of the same section with similar spelling; otherwise paths of keys with this exact name. */
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

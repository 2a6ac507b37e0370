import type { Fault } from './fault.js';
import { sameJson, show, toSnake } from './json.js';

/**
 * Rule for one key of a layer's configuration.
 *
 * `read`: its value decides what is computed. `fixed`: only the implemented value is accepted.
 * `neutral`: it doesn't affect the result.
 */
export interface Rule {
  readonly use: 'read' | 'fixed' | 'neutral';
  /** Accepted values, for messages and the reference. */
  readonly accepts: string;
  /** Checks a value that is present. */
  readonly check: (value: unknown, key: string) => Fault | undefined;
  /** Set if the key must be written out, as Keras and TF.js have different defaults. */
  readonly required?: true;
  /** For an initializer: TF.js's default class. */
  readonly initial?: string;
  /** Keras's default, if TF.js has another one. */
  readonly absent?: unknown;
}

export type Rules = Readonly<Record<string, Rule>>;

/** A rule that tests a value in isolation. */
export function rule(
  use: Rule['use'],
  accepts: string,
  test: (value: unknown) => boolean,
  remedy = 'correct it',
): Rule {
  const check = (value: unknown, key: string) => (test(value) ? undefined : { key, expected: accepts, value, remedy });
  return { use, accepts, check };
}

/** The same rule for a required key. */
export function required(given: Rule): Rule {
  return { ...given, required: true };
}

export const anything = rule('neutral', 'any value', () => true);
export const flag = rule('read', 'true or false', (value) => typeof value === 'boolean');
export const count = rule('read', 'a positive integer', isCount);

export function number(from: number, below = Infinity): Rule {
  const range = below === Infinity ? (from === -Infinity ? '' : ` from ${from}`) : ` from ${from} to below ${below}`;
  return rule('read', `a number${range}`, (value) => isNumber(value) && value >= from && value < below);
}

export const positive = rule('read', 'a positive number', (value) => isNumber(value) && value > 0);

/** A single size for all `rank` dimensions, or one for each. */
export function sizes(rank: number): Rule {
  const list = rank === 1 ? 'a list of one' : `a list of ${rank}`;
  return rule('read', `a positive integer or ${list}`, (value) => isCount(value) || isList(value, isCount, rank));
}

/** Accepts one of `words`, in snake or camel case. */
export function oneOf(...words: string[]): Rule {
  const test = (value: unknown) => typeof value === 'string' && words.includes(toSnake(value));
  const use = words.length === 1 ? 'fixed' : 'read';
  return rule(use, words.map((word) => `"${word}"`).join(' or '), test, `use ${words.join(' or ')}`);
}

/** Accepts only the one implemented value. */
export function only(value: unknown, remedy = `set it to ${show(value)}, or remove the layer`): Rule {
  return rule('fixed', show(value), (given) => sameJson(given, value), remedy);
}

/** Accepts only 1 for all dimensions. */
export function ones(remedy: string): Rule {
  const test = (value: unknown) => [value].flat().length > 0 && [value].flat().every((size) => size === 1);
  return rule('fixed', '1', test, remedy);
}

/** Accepts only `null`. */
export function none(remedy = 'remove it'): Rule {
  return rule('fixed', 'null', (value) => value === null, remedy);
}

/** Accepts a rule's values or `null`, which means the layer's default. */
export function orNull(given: Rule): Rule {
  const check: Rule['check'] = (value, key) => (value === null ? undefined : given.check(value, key));
  return { ...given, accepts: `${given.accepts}, or null`, check };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0;
}

export function isList(value: unknown, item: (value: unknown) => boolean, length?: number): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  return (length === undefined || value.length === length) && value.every(item);
}

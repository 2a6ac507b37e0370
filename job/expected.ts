import type { z } from 'zod';

/** A JSON schema; `true` accepts everything. */
export type JsonSchema = z.core.JSONSchema._JSONSchema;
type Node = Exclude<JsonSchema, boolean>;

/**
 * Schemas of the value at `path`, one per variant that has it. If variants differ in a constant, such as `type`, only
 * those that match `value` are followed, or all if none matches.
 */
export function schemasAt(schema: JsonSchema, path: readonly PropertyKey[], value?: unknown): Node[] {
  if (typeof schema === 'boolean') return [];
  const [key, ...rest] = path;
  if (key === undefined) return [schema];
  const inner = isObject(value) ? value[String(key)] : undefined;
  return variantsOf(schema, value).flatMap(({ properties, additionalProperties }) => {
    const next = properties?.[String(key)] ?? additionalProperties;
    return next === undefined ? [] : schemasAt(next, rest, inner);
  });
}

/** Description such as `a whole number from 1 to 1024` or `sgd, adam or adamw`; undefined without a constraint. */
export function describeExpected(schemas: readonly Node[]): string | undefined {
  const choices = schemas.flatMap(choicesOf);
  if (choices.length > 0) return oneOf(choices.map(String));
  const [first] = schemas;
  return first && describeNode(first);
}

/** Text of a value for an error message, at most 80 characters. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return 'a function';
  if (value instanceof Promise) return 'a promise';
  const text = toJson(value) ?? `a value of type ${typeof value}`;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** `a, b or c` */
export function oneOf(choices: readonly string[]): string {
  const unique = [...new Set(choices)];
  return unique.length < 2 ? unique.join('') : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1)}`;
}

function variantsOf(schema: Node, value: unknown): Node[] {
  const variants = (schema.oneOf ?? schema.anyOf ?? []).filter((variant) => typeof variant !== 'boolean');
  if (variants.length === 0) return [schema];
  const matching = variants.filter((variant) => isObject(value) && hasConstants(variant, value));
  return matching.length > 0 ? matching : variants;
}

function hasConstants({ properties }: Node, value: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(properties ?? {}).every(([key, schema]) => {
    return typeof schema === 'boolean' || schema.const === undefined || schema.const === value[key];
  });
}

function choicesOf({ const: constant, enum: choices }: Node): unknown[] {
  return constant === undefined ? (choices ?? []) : [constant];
}

function describeNode(node: Node): string | undefined {
  switch (node.type) {
    case 'integer':
      return `a whole number${range(node)}`;
    case 'number':
      return `a number${range(node)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `text${node.minLength === 1 ? ` of 1 to ${node.maxLength} characters` : ''}`;
    case 'array':
      return 'a list';
    default:
      return isSection(node) ? `keys and values${keysOf(node)}` : node.description;
  }
}

function isSection({ type, oneOf: variants }: Node): boolean {
  return type === 'object' || variants !== undefined;
}

/** List of a section's keys, in parentheses. */
function keysOf(node: Node): string {
  const sections = node.oneOf === undefined ? [node] : variantsOf(node, undefined);
  const keys = [...new Set(sections.flatMap(({ properties }) => Object.keys(properties ?? {})))];
  return keys.length === 0 ? '' : ` (${keys.join(', ')})`;
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Node): string {
  if (isReal(minimum) && isReal(maximum)) return ` from ${minimum} to ${maximum}`;
  const least = isReal(exclusiveMinimum)
    ? ` above ${exclusiveMinimum}`
    : isReal(minimum)
      ? ` of at least ${minimum}`
      : '';
  const most = isReal(exclusiveMaximum) ? `below ${exclusiveMaximum}` : isReal(maximum) ? `at most ${maximum}` : '';
  return least !== '' && most !== '' ? `${least} and ${most}` : `${least}${most === '' ? '' : ` ${most}`}`;
}

/** True for a limit of the schema; zod adds the limits of exact integers by default. */
function isReal(limit: number | boolean | undefined): limit is number {
  return typeof limit === 'number' && Math.abs(limit) < Number.MAX_SAFE_INTEGER;
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

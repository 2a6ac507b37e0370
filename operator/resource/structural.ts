import type { z } from 'zod';
import { InvariantError } from '../../util/errors.js';

/**
 * JSON schema, as zod writes it, to the structural OpenAPI schema that a CRD wants: no `oneOf`, no `const`, exclusive
 * bounds as flags, unions merged into one object whose rules say which field goes with which type.
 */

export type JsonSchema = z.core.JSONSchema.JSONSchema;
export type Structural = Record<string, unknown>;

/** One CEL rule. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly reason?: string;
}

/**
 * `apply`: the API server fills them in. `describe`: they stand in the description only, where something else may come
 * in between, as presets do.
 */
export type Defaults = 'apply' | 'describe';

export function structural(schema: JsonSchema, defaults: Defaults): Structural {
  if (schema['x-kubernetes-int-or-string'] === true) return intOrString(schema);
  if (schema['x-kubernetes-preserve-unknown-fields'] === true || isAnyMap(schema)) return unknownFields(schema);
  if (schema.oneOf !== undefined) return mergeUnion(schema, schema.oneOf.map(asSchema), defaults);
  const { description, default: fallback } = schema;
  return {
    type: schema.type,
    ...describedBy(description, defaults === 'describe' ? fallback : undefined),
    ...(defaults === 'apply' && fallback !== undefined ? { default: fallback } : {}),
    ...limits(schema),
    ...extensions(schema),
    ...(schema.required === undefined || schema.required.length === 0 ? {} : { required: [...schema.required] }),
    ...children(schema, defaults),
  };
}

/** A map whose values may be anything, as a model's topology is. */
function isAnyMap({ additionalProperties: values }: JsonSchema): boolean {
  return typeof values === 'object' && Object.keys(values).length === 0;
}

function children(schema: JsonSchema, defaults: Defaults): Structural {
  const { properties, items, additionalProperties } = schema;
  const isMap = typeof additionalProperties === 'object' && properties === undefined;
  return {
    ...(properties === undefined
      ? {}
      : { properties: mapValues(properties, (one) => structural(asSchema(one), defaults)) }),
    ...(isMap ? { additionalProperties: structural(asSchema(additionalProperties), defaults) } : {}),
    ...(items === undefined ? {} : { items: structural(asSchema(items), defaults) }),
  };
}

function limits(schema: JsonSchema): Structural {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const values = schema.const === undefined ? schema.enum : [schema.const];
  const kept = ['minLength', 'maxLength', 'pattern', 'minItems', 'maxItems', 'maxProperties'] as const;
  return {
    ...(schema.type === 'integer' ? { format: 'int64' } : schema.format === 'date-time' ? { format: 'date-time' } : {}),
    ...(values === undefined ? {} : { enum: [...values] }),
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(exclusiveMinimum === undefined ? {} : { minimum: exclusiveMinimum, exclusiveMinimum: true }),
    ...(exclusiveMaximum === undefined ? {} : { maximum: exclusiveMaximum, exclusiveMaximum: true }),
    ...Object.fromEntries(kept.flatMap((key) => (schema[key] === undefined ? [] : [[key, schema[key]]]))),
  };
}

function extensions(schema: JsonSchema): Structural {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key.startsWith('x-kubernetes-')));
}

/** A quantity; the pattern is asked of texts only. */
function intOrString({ anyOf = [], description }: JsonSchema): Structural {
  const text = anyOf.map(asSchema).find(({ type }) => type === 'string');
  return {
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    ...describedBy(description, undefined),
    ...(text?.maxLength === undefined ? {} : { maxLength: text.maxLength }),
    ...(text?.pattern === undefined ? {} : { pattern: text.pattern }),
  };
}

function unknownFields({ description }: JsonSchema): Structural {
  return { type: 'object', ...describedBy(description, undefined), 'x-kubernetes-preserve-unknown-fields': true };
}

/** One object with the fields of all variants; `type` need not be given, as it may come from elsewhere. */
function mergeUnion(schema: JsonSchema, variants: readonly JsonSchema[], defaults: Defaults): Structural {
  if (defaults === 'apply') throw new InvariantError('a union with defaults that are applied: they differ by type');
  const keys = [...new Set(variants.flatMap(({ properties }) => Object.keys(properties ?? {})))];
  const merged = keys.map((key): [string, Structural] => [key, mergeField(key, variants)]);
  const rules = [...variantRules(keys, variants), ...requiredRules(variants)];
  return {
    type: 'object',
    ...describedBy(schema.description, undefined),
    properties: Object.fromEntries(merged),
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}

function mergeField(key: string, variants: readonly JsonSchema[]): Structural {
  const having = variants.filter(({ properties }) => properties?.[key] !== undefined);
  const fields = having.map((variant) => [typeOf(variant), asSchema(variant.properties?.[key])] as const);
  if (key === 'type') return { type: 'string', enum: fields.map(([type]) => type) };
  const [first, ...others] = fields.map(([, field]) => withoutWords(structural(field, 'describe')));
  if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
    throw new InvariantError(`union field ${key}: its bounds differ from type to type, which is not provided for`);
  }
  const words = fields.map(([type, { description, default: fallback }]) => ({
    type,
    text: describedBy(description, fallback).description,
  }));
  const texts = [...new Set(words.map(({ text }) => text))].filter((text) => text !== undefined);
  const saying = (text: string) => words.filter((word) => word.text === text).map(({ type }) => type);
  const isForAll = texts.length === 1 && saying(texts[0]!).length === variants.length;
  const description = isForAll ? texts[0] : texts.map((text) => `${saying(text).join(', ')}: ${text}`).join('; ');
  return { ...first, ...(description ? { description } : {}) };
}

function variantRules(keys: readonly string[], variants: readonly JsonSchema[]): Rule[] {
  return keys.flatMap((key) => {
    const types = variants.filter(({ properties }) => properties?.[key] !== undefined).map(typeOf);
    if (types.length === variants.length) return [];
    const list = types.map((type) => `'${type}'`).join(', ');
    const rule = `!has(self.${key}) || !has(self.type) || self.type in [${list}]`;
    return [{ rule, message: `${key} goes with type ${types.join(' or ')}`, fieldPath: `.${key}` }];
  });
}

function requiredRules(variants: readonly JsonSchema[]): Rule[] {
  return variants.flatMap((variant) =>
    (variant.required ?? [])
      .filter((key) => key !== 'type')
      .map((key) => ({
        rule: `!has(self.type) || self.type != '${typeOf(variant)}' || has(self.${key})`,
        message: `type ${typeOf(variant)} needs ${key}`,
        fieldPath: `.${key}`,
      })),
  );
}

function typeOf({ properties }: JsonSchema): string {
  return String(asSchema(properties?.['type']).const);
}

function withoutWords(schema: Structural): Structural {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== 'description'));
}

/** Sections have no default worth telling: it is that of their fields. */
function describedBy(description: string | undefined, fallback: unknown): { description?: string } {
  const told =
    fallback === undefined || typeof fallback === 'object' ? undefined : `default: ${JSON.stringify(fallback)}`;
  const parts = [description, told].filter((part) => part !== undefined);
  return parts.length === 0 ? {} : { description: parts.join('; ') };
}

function asSchema(schema: z.core.JSONSchema._JSONSchema | JsonSchema['items'] | undefined): JsonSchema {
  if (typeof schema === 'object' && !Array.isArray(schema)) return schema;
  throw new InvariantError(`expected a schema, got ${JSON.stringify(schema)}`);
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, map: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

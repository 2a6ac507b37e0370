import type { z } from 'zod';
import { InvariantError } from '../../util/errors.js';

/**
 * Converts zod's JSON schema to the structural OpenAPI schema of a CRD: no `oneOf` or `const`, exclusive bounds as flags,
 * unions merged into one object with rules for which fields belong to which type.
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
 * `apply`: the API server sets defaults. `describe`: defaults are only mentioned in descriptions, because presets take
 * precedence.
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

/** True for a map with arbitrary values, such as a model's topology. */
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

/** Schema of a quantity. The pattern applies only to strings. */
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

/** Merges the variants' fields into one object. `type` is optional, because a preset may set it. */
function mergeUnion(schema: JsonSchema, variants: readonly JsonSchema[], defaults: Defaults): Structural {
  if (defaults === 'apply')
    throw new InvariantError('expected a union without applied defaults, because they differ by type');
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
  const [first, ...others] = fields.map(([, field]) => withoutDescription(structural(field, 'describe')));
  if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
    throw new InvariantError(`union field ${key}: expected equal bounds for all types, got different ones`);
  }
  const descriptions = fields.map(([type, { description, default: fallback }]) => ({
    type,
    text: describedBy(description, fallback).description,
  }));
  const texts = [...new Set(descriptions.map(({ text }) => text))].filter((text) => text !== undefined);
  const typesWith = (text: string) => descriptions.filter((one) => one.text === text).map(({ type }) => type);
  const isForAll = texts.length === 1 && typesWith(texts[0]!).length === variants.length;
  const description = isForAll ? texts[0] : texts.map((text) => `${typesWith(text).join(', ')}: ${text}`).join('; ');
  return { ...first, ...(description ? { description } : {}) };
}

function variantRules(keys: readonly string[], variants: readonly JsonSchema[]): Rule[] {
  return keys.flatMap((key) => {
    const types = variants.filter(({ properties }) => properties?.[key] !== undefined).map(typeOf);
    if (types.length === variants.length) return [];
    const list = types.map((type) => `'${type}'`).join(', ');
    const rule = `!has(self.${key}) || !has(self.type) || self.type in [${list}]`;
    return [{ rule, message: `${key} requires type ${types.join(' or ')}`, fieldPath: `.${key}` }];
  });
}

function requiredRules(variants: readonly JsonSchema[]): Rule[] {
  return variants.flatMap((variant) =>
    (variant.required ?? [])
      .filter((key) => key !== 'type')
      .map((key) => ({
        rule: `!has(self.type) || self.type != '${typeOf(variant)}' || has(self.${key})`,
        message: `type ${typeOf(variant)} requires ${key}`,
        fieldPath: `.${key}`,
      })),
  );
}

function typeOf({ properties }: JsonSchema): string {
  return String(asSchema(properties?.['type']).const);
}

function withoutDescription(schema: Structural): Structural {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== 'description'));
}

/** Description with the default, except for sections, whose fields have defaults of their own. */
function describedBy(description: string | undefined, fallback: unknown): { description?: string } {
  const defaultText =
    fallback === undefined || typeof fallback === 'object' ? undefined : `default: ${JSON.stringify(fallback)}`;
  const parts = [description, defaultText].filter((part) => part !== undefined);
  return parts.length === 0 ? {} : { description: parts.join('; ') };
}

function asSchema(schema: z.core.JSONSchema._JSONSchema | JsonSchema['items'] | undefined): JsonSchema {
  if (typeof schema === 'object' && !Array.isArray(schema)) return schema;
  throw new InvariantError(`expected a schema, got ${JSON.stringify(schema)}`);
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, map: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

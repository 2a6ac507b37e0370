import protobuf from 'protobufjs';
import { z } from 'zod';
import { messageType } from './contract.js';

/** Longest list and text in a message; its sender may be anyone. */
const maxItems = 10_000;
const maxText = 8_000;

const whole = z.int().min(0);
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);

/**
 * Schema of a message's JSON form, made from its .proto file: fields by name in camelCase, null for NaN and infinity.
 *
 * A missing field has its default, so a reply of an older version can be read. Unknown fields are dropped.
 * @param cleanText - applied to every text.
 */
export function jsonSchema<Message>(name: string, cleanText: (text: string) => string): z.ZodType<Message> {
  return schemaOf(messageType(name), cleanText) as z.ZodType<Message>;
}

function schemaOf(type: protobuf.Type, cleanText: (text: string) => string): z.ZodType {
  const text = z.string().max(maxText).transform(cleanText);
  const scalars: Readonly<Record<string, z.ZodType>> = {
    string: text.default(''),
    bool: z.boolean().default(false),
    double: number.default(0),
    uint32: whole.default(0),
    uint64: whole.default(0),
  };
  const fields = type.fieldsArray.map((field): [string, z.ZodType] => {
    const { resolvedType } = field;
    const one = resolvedType instanceof protobuf.Type ? schemaOf(resolvedType, cleanText) : scalars[field.type];
    if (!one) throw new Error(`internal: no JSON form for ${field.fullName} of type ${field.type}`);
    return [field.name, field.repeated ? z.array(one).max(maxItems).default([]) : one];
  });
  return z.object(Object.fromEntries(fields));
}

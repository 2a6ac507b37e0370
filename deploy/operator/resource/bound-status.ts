import { z } from 'zod';
import { cleanText } from './clean-text.js';
import { statusSchema, type TrainingJobStatus } from './status.js';
import type { JsonSchema } from './structural.js';

const schema = z.toJSONSchema(statusSchema, { io: 'input' });

/**
 * `status` with every value inside the bounds of the CRD, which are made from the same schema: texts cut, numbers
 * clamped, lists shortened; what has no valid counterpart is left out. The API server takes the result, whatever a
 * job's pods say.
 */
export function boundStatus(status: TrainingJobStatus): TrainingJobStatus {
  return bound(schema, status) as TrainingJobStatus;
}

/** @returns undefined when no valid value is near. */
function bound(schema: JsonSchema, value: unknown): unknown {
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' ? boundText(schema, value) : undefined;
    case 'integer':
      return typeof value === 'number' ? boundCount(schema, value) : undefined;
    case 'array':
      return Array.isArray(value) ? boundList(schema, value) : undefined;
    case 'object':
      return typeof value === 'object' && value !== null ? boundFields(schema, value) : undefined;
    default:
      return undefined;
  }
}

function boundText({ enum: values, format, maxLength = Infinity }: JsonSchema, text: string): string | undefined {
  if (values !== undefined) return values.includes(text) ? text : undefined;
  if (format === 'date-time') return Number.isNaN(Date.parse(text)) ? undefined : text;
  return cleanText(text, maxLength);
}

function boundCount({ minimum = -Infinity, maximum = Infinity }: JsonSchema, count: number): number | undefined {
  return Number.isNaN(count) ? undefined : Math.round(Math.min(maximum, Math.max(minimum, count)));
}

function boundList({ items, maxItems = Infinity }: JsonSchema, list: readonly unknown[]): unknown[] {
  return list.slice(0, maxItems).map((item) => bound(items as JsonSchema, item));
}

function boundFields({ properties = {} }: JsonSchema, value: object): object {
  const entries = Object.entries(properties).flatMap(([key, field]) => {
    const kept = bound(field as JsonSchema, (value as Readonly<Record<string, unknown>>)[key]);
    return kept === undefined ? [] : [[key, kept] as const];
  });
  return Object.fromEntries(entries);
}

/**
 * The fields that the next plan counts on, without any text from a job's pods: written where the whole status was
 * refused.
 */
export function essentialStatus(status: TrainingJobStatus): TrainingJobStatus {
  const { observedGeneration, state, startTime, completionTime, restarts, coordinator, conditions } = status;
  const memory = coordinator && { ...coordinator };
  delete memory?.lastEnd;
  return JSON.parse(
    JSON.stringify({
      ...{ observedGeneration, state, startTime, completionTime, restarts, coordinator: memory },
      conditions: conditions.map((condition) => ({ ...condition, message: 'the API server rejected the full status' })),
    }),
  ) as TrainingJobStatus;
}

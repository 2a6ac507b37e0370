import { z } from 'zod';
import { cleanText } from './clean-text.js';
import { statusSchema, type TrainingJobStatus } from './status.js';
import type { JsonSchema } from './structural.js';

const schema = z.toJSONSchema(statusSchema, { io: 'input' });

/**
 * Limits every value of `status` to the bounds of the CRD, which is generated from the same schema. Texts are cut, numbers
 * clamped, lists shortened, and values without a valid counterpart removed. So the API server accepts the status,
 * whatever a job's pods report.
 */
export function boundStatus(status: TrainingJobStatus): TrainingJobStatus {
  return bound(schema, status) as TrainingJobStatus;
}

/** @returns undefined if there is no valid counterpart. */
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
 * Fields that the next plan relies on, without any text from a job's pods. Written after the API server rejected the
 * full status.
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

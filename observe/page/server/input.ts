import type { Context } from 'hono';
import { z } from 'zod';

/** Response to a request with invalid input. */
export function answerBadInput(context: Context, what: string, error: z.ZodError): Response {
  return context.json({ error: `${what}: ${z.prettifyError(error)}` }, 400);
}

/** Schema of a whole number in a query, `0` to `max`. */
export function index(max: number) {
  return z
    .string()
    .regex(/^\d{1,7}$/)
    .transform(Number)
    .pipe(z.int().min(0).max(max));
}

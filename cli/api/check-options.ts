import { z } from 'zod';
import { instructionSets } from '../../engine/engine.js';
import { showValue } from '../../job/expected.js';
import { didYouMean, nearest } from '../../util/hint.js';
import { inputSchema, knownPaths, specProblems } from '../../job/spec-problems.js';
import { jobSpecSchema } from '../../job/spec.js';

/** Options shared by the library's functions. */
export const datasetFields = {
  data: z.string().min(1).max(4096).optional(),
  synthetic: z.boolean().optional(),
  limit: z.int().min(1).max(1_000_000).optional(),
};

export const trainOptionsSchema = z.strictObject({
  ...datasetFields,
  preset: z.string().min(1).max(4096).optional(),
  set: z.record(z.string(), z.json().describe('a number, text, true, false, list or section')).optional(),
  workers: z.int().min(1).max(1024).optional(),
  isa: z.enum(instructionSets).optional(),
  run: z.string().min(1).max(4096).optional(),
  tensorboard: z.boolean().optional(),
  onLine: z
    .custom<(line: string) => void>((value) => typeof value === 'function', {
      error: ({ input }) => `expected a function, got ${showValue(input)}`,
    })
    .optional(),
});

/**
 * Rejects unknown options and values of the wrong type, which callers without TypeScript may pass.
 * @param operation - name of the called function.
 * @throws TypeError that lists all problems.
 */
export function checkOptions(operation: string, schema: z.ZodObject, options: unknown): void {
  const result = schema.safeParse(options);
  if (result.success) return;
  const unknown = result.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  const others = result.error.issues.filter(({ code }) => code !== 'unrecognized_keys');
  const problems = [
    ...unknown.map((key) => describeUnknown(key, (options as Record<string, unknown>)[key], schema)),
    ...specProblems(others, schema, options).map(({ path, message }) =>
      path.length === 0 ? `options: ${message}` : `${path.join('.')}: ${message}`,
    ),
  ];
  throw new TypeError(`${operation}: ${problems.join('; ')}`);
}

/** @throws TypeError unless `dataset` is a dataset; a promise that wasn't awaited is the usual mistake. */
export function checkDataset(operation: string, dataset: unknown): void {
  const fields = ['imageShape', 'classes', 'train', 'test'];
  if (typeof dataset === 'object' && dataset !== null && fields.every((field) => field in dataset)) return;
  const advice = dataset instanceof Promise ? 'write await loadDataset()' : 'pass what loadDataset() resolves with';
  throw new TypeError(`${operation}: expected a dataset, got ${showValue(dataset)}; ${advice}`);
}

/** @throws TypeError unless the argument matches `schema`. */
export function checkArgument(operation: string, name: string, schema: z.ZodType, value: unknown): void {
  const wrapped = z.strictObject({ [name]: schema });
  const result = wrapped.safeParse({ [name]: value });
  if (result.success) return;
  const [problem] = specProblems(result.error.issues, wrapped, { [name]: value });
  throw new TypeError(`${operation}: ${name}: ${problem!.message}`);
}

/** Describes an unknown option with a suggestion; fields of the job spec go into `set`. */
function describeUnknown(key: string, value: unknown, schema: z.ZodObject): string {
  const options = Object.keys(schema.shape);
  const field = options.includes('set') ? fieldNamed(key) : undefined;
  const suggestion =
    field === undefined
      ? nearest(key, options)
      : [`set: { ${/\W/.test(field) ? `'${field}'` : field}: ${showValue(value)} }`];
  return `unknown option ${key}${didYouMean(suggestion)}`;
}

/** Path of the job's field with this name, or the nearest one. */
function fieldNamed(key: string): string | undefined {
  const paths = knownPaths(inputSchema(jobSpecSchema)).map((path) => path.join('.'));
  return paths.find((path) => path === key) ?? paths.find((path) => path.split('.').at(-1) === key);
}

import { z } from 'zod';
import type { ModelTopology } from '../engine/engine.js';
import { JobError } from './errors.js';
import { jobSpecSchema } from './spec.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const chunk = z.strictObject({ digest, count: z.int().min(1) });
const perChannel = z.array(z.number()).min(1).max(16);

/** Description of the dataset. */
export const manifestDatasetSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  synthetic: z.boolean(),
  classes: z.array(z.string()).min(1).max(256),
  imageShape: z.tuple([z.int().min(1), z.int().min(1), z.int().min(1).max(16)]),
  normalise: z.strictObject({ mean: perChannel, deviation: perChannel }),
  digest,
  trainSamples: z.int().min(1),
  testSamples: z.int().min(1),
});

const manifestSchema = z.strictObject({
  /** Job digest: spec, model and data. */
  digest,
  spec: jobSpecSchema,
  /**
   * Version of Lockstep's arithmetic, by which the native engine computes; 0: the default engine of Lockstep 0.5 and
   * earlier, ONNX Runtime on CPUs. Null: an engine with the arithmetic of another library.
   */
  arithmetic: z.int().min(0).nullable(),
  topology: z.record(z.string(), z.unknown()).transform((value): ModelTopology => value),
  parameterCount: z.int().min(1),
  stateCount: z.int().min(0),
  dataset: manifestDatasetSchema,
  /** Training shards, in order. */
  shards: z.array(chunk).min(1),
  /** Test images in batches of `spec.evaluation.batch`, in order. */
  evaluation: z.array(chunk).min(1),
});

/** A compiled job: everything a worker needs except the bytes of the chunks. Written to `job.json`. */
export type JobManifest = z.infer<typeof manifestSchema>;
/** A dataset chunk: sent and cached as a whole, addressed by the SHA-256 of its bytes. */
export type ChunkRef = z.infer<typeof chunk>;

/**
 * Parses `job.json`, also of earlier versions.
 * @throws JobError BAD_SPEC when `json` is not a manifest.
 */
export function parseManifest(json: string): JobManifest {
  try {
    return manifestSchema.parse(withArithmetic(JSON.parse(json)));
  } catch (cause) {
    const found = cause instanceof z.ZodError ? describe(cause) : (cause as Error).message;
    throw new JobError('BAD_SPEC', `read job manifest: expected a manifest of this version, got: ${found}`, { cause });
  }
}

const earlierSchema = z.looseObject({
  arithmetic: z.undefined().optional(),
  spec: z.looseObject({ engine: z.looseObject({ name: z.string(), device: z.string().default('auto') }) }),
});

/**
 * Adds the arithmetic to a manifest of Lockstep 0.5 or earlier. Its engine on CPUs, `onnx`, becomes `native` with
 * arithmetic 0, so that its run can be read, compared and used for predictions; `run.json` has the engine that computed it.
 */
function withArithmetic(value: unknown): unknown {
  const earlier = earlierSchema.safeParse(value).data;
  if (!earlier) return value;
  const { engine } = earlier.spec;
  const isOnCpu = engine.name === 'onnx' && ['auto', 'cpu'].includes(engine.device);
  if (!isOnCpu) return { ...earlier, arithmetic: null };
  return { ...earlier, arithmetic: 0, spec: { ...earlier.spec, engine: { name: 'native' } } };
}

/** First problem in one line, and the number of others. */
function describe({ issues }: z.ZodError): string {
  const { path, message } = issues[0]!;
  const others = issues.length > 1 ? ` and ${issues.length - 1} more` : '';
  return `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}${others}`;
}

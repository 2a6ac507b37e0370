import { z } from 'zod';
import { JobError } from './errors.js';
import { type JobManifest, manifestDatasetSchema } from './manifest.js';
import { jobSpecSchema } from './spec.js';

const { name, title, digest, classes, imageShape, normalise } = manifestDatasetSchema.shape;

const cardSchema = z.object({
  /** Raised when a reader of this version could not use the file. */
  version: z.literal(1),
  /** Digest of the job that trained it. */
  job: z.string(),
  /** Updates that it has had. */
  step: z.int().min(0),
  classes,
  imageShape,
  normalise,
  dataset: z.strictObject({ name, title, digest }),
  /** How images came to their size: the spec's `data`, without the place where they lie. */
  data: jobSpecSchema.shape.data,
});

/** What a model file says of itself, so that it can be used without the run that it comes from. */
export type ModelCard = z.infer<typeof cardSchema>;

/** Under this name a card stands in the metadata of every format. */
export const cardKey = 'lockstep';

/** The card of a job's model after `step` updates. */
export function modelCard({ digest: job, spec, dataset }: JobManifest, step: number): ModelCard {
  const { classes, imageShape, normalise } = dataset;
  const { name, title, digest } = dataset;
  return {
    version: 1,
    job,
    step,
    classes,
    imageShape,
    normalise,
    dataset: { name, title, digest },
    data: { ...spec.data, path: undefined },
  };
}

/**
 * Reads a card again.
 * @param file - for messages.
 * @throws JobError BAD_OPTION
 */
export function parseCard(value: unknown, file: string): ModelCard {
  const result = cardSchema.safeParse(value);
  if (result.success) return result.data;
  const found = value === undefined ? 'one without' : `one that cannot be read (${z.prettifyError(result.error)})`;
  throw new JobError(
    'BAD_OPTION',
    `read model: expected what Lockstep writes into its model files (classes, image size, normalisation), got ${found}; ` +
      `${file}; export it again: lockstep export RUN`,
  );
}

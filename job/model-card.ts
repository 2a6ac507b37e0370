import { z } from 'zod';
import { JobError } from './errors.js';
import { type JobManifest, manifestDatasetSchema } from './manifest.js';
import { jobSpecSchema } from './spec.js';

const { name, title, digest, classes, imageShape, normalise } = manifestDatasetSchema.shape;

const cardSchema = z.object({
  /** Incremented when older readers can't use the file. */
  version: z.literal(1),
  /** Digest of the job that trained the model. */
  job: z.string(),
  /** Committed updates. */
  step: z.int().min(0),
  classes,
  imageShape,
  normalise,
  dataset: z.strictObject({ name, title, digest }),
  /** The spec's `data`, without `path`; preprocessing of images. */
  data: jobSpecSchema.shape.data,
});

/** Metadata of a model file, which makes it usable without its run. */
export type ModelCard = z.infer<typeof cardSchema>;

/** Key of the card in the metadata of every format. */
export const cardKey = 'lockstep';

/** Card of a job's model after `step` updates. */
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
 * Parses a card.
 * @param file - the file's name, for messages.
 * @throws JobError BAD_OPTION
 */
export function parseCard(value: unknown, file: string): ModelCard {
  const result = cardSchema.safeParse(value);
  if (result.success) return result.data;
  const found = value === undefined ? 'none' : `invalid metadata (${z.prettifyError(result.error)})`;
  throw new JobError(
    'BAD_OPTION',
    `read model: expected Lockstep's metadata (classes, image size, normalisation), got ${found}; ` +
      `${file}; export it again: lockstep export RUN`,
  );
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DigestEntry, EvaluationEntry, StepRecord } from '../../run/records.js';
import { readModelFile } from '../../run/model/read-model-file.js';
import { readRunFile } from '../../run/run-files.js';
import type { Dataset } from '../../data/dataset.js';
import type { JobManifest } from '../../job/manifest.js';
import { checkArgument, checkDataset } from './check-options.js';
import { Picture } from './picture.js';
import { type Tested, testModel } from './test.js';

/** Charts of a run's report. */
export type RunPicture = 'loss' | 'confusion' | 'accuracy-per-class';
const runPictureSchema: z.ZodType<RunPicture> = z.enum(['loss', 'confusion', 'accuracy-per-class']);

/** A finished or stopped run, read from its directory. */
export interface Run {
  readonly directory: string;
  /** The job: spec with all defaults, model topology, dataset. */
  readonly job: JobManifest;
  readonly outcome: 'finished' | 'stopped';
  /** Training time, evaluations included. */
  readonly seconds: number;
  readonly finalDigest: string;
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationEntry[];
  readonly digests: readonly DigestEntry[];
  /** A chart of the report. */
  picture(name: RunPicture): Promise<Picture>;
  /** Evaluates the trained model on the dataset's test images. @throws JobError BAD_DATA unless it is the run's dataset. */
  test(dataset: Dataset): Promise<Tested>;
}

/** Reads a run from its directory. @throws Error if there is none, or if it is still in progress. */
export async function openRun(directory: string): Promise<Run> {
  checkArgument('openRun', 'directory', z.string().min(1).max(4096), directory);
  const { outcome, seconds, finalDigest } = await readRunFile(directory, 'run.json');
  if ((outcome !== 'finished' && outcome !== 'stopped') || seconds === undefined || finalDigest === undefined) {
    throw new Error(
      `open run ${directory}: expected a finished or stopped run, got one that is ${outcome}; wait for it`,
    );
  }
  const job = await readRunFile(directory, 'job.json');
  const title = `${job.spec.name}, ${job.dataset.title}`;
  return {
    ...{ directory, job, outcome, seconds, finalDigest },
    steps: await readRunFile(directory, 'steps.csv'),
    evaluations: await readRunFile(directory, 'evaluations.jsonl'),
    digests: await readRunFile(directory, 'digests.jsonl'),
    picture: async (name) => {
      checkArgument('run.picture', 'name', runPictureSchema, name);
      return new Picture(await readFile(join(directory, 'report', `${name}.png`)), `${name}: ${title}`);
    },
    test: async (dataset) => {
      checkDataset('run.test', dataset);
      return testModel(await readModelFile(join(directory, 'model', 'model.safetensors')), job, dataset);
    },
  };
}

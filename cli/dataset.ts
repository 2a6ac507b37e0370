import type { Dataset } from '../data/dataset.js';
import type { ReadDataset } from '../data/index.js';
import { imageFormatOf } from '../job/image-format.js';
import type { JobSpec } from '../job/spec.js';
import { downloadProgress } from './terminal/download.js';

export interface DatasetChoice {
  /** `--data` */
  readonly data?: string | undefined;
  readonly allowSynthetic?: boolean;
}

/** Opens a job's dataset at the location given by flags or environment; shows the progress of a download. */
export async function datasetFor(spec: Pick<JobSpec, 'data'>, choice: DatasetChoice): Promise<Dataset> {
  return (await findDatasetFor(spec, choice))();
}

/** Locates a job's dataset; call the result to read it. @throws JobError if the given location has none. */
export async function findDatasetFor(spec: Pick<JobSpec, 'data'>, choice: DatasetChoice): Promise<ReadDataset> {
  const { findDataset } = await import('../data/index.js');
  const envPath = process.env['LOCKSTEP_DATA'];
  const { stop, ...callbacks } = downloadProgress();
  const read = await findDataset({
    dataset: spec.data.dataset,
    folder: { path: spec.data.path, format: imageFormatOf(spec.data), testShare: spec.data.testShare },
    cwd: process.cwd(),
    ...(choice.data === undefined ? {} : { path: choice.data }),
    ...(envPath === undefined ? {} : { envPath }),
    allowSynthetic: choice.allowSynthetic ?? false,
    ...(spec.data.limit === undefined ? {} : { limit: spec.data.limit }),
    ...callbacks,
  });
  return () => read().finally(stop);
}

import type { Dataset } from '../job/data/dataset.js';
import { imageFormatOf, testShareOf } from '../job/image-format.js';
import type { JobSpec } from '../job/spec.js';
import { downloadProgress } from './terminal/download.js';

/** Opens a job's dataset where flags and environment say, showing the download if there is one. */
export async function datasetFor(
  spec: Pick<JobSpec, 'data'>,
  options: { readonly data?: string | undefined; readonly allowSynthetic?: boolean },
): Promise<Dataset> {
  const { openDataset } = await import('../job/data/index.js');
  const envPath = process.env['LOCKSTEP_DATA'];
  const { stop, ...callbacks } = downloadProgress();
  return openDataset({
    dataset: spec.data.dataset,
    folder: { path: spec.data.path, format: imageFormatOf(spec.data), testShare: testShareOf(spec.data) },
    cwd: process.cwd(),
    ...(options.data === undefined ? {} : { path: options.data }),
    ...(envPath === undefined ? {} : { envPath }),
    allowSynthetic: options.allowSynthetic ?? false,
    ...(spec.data.limit === undefined ? {} : { limit: spec.data.limit }),
    ...callbacks,
  }).finally(stop);
}

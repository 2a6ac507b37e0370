import { z } from 'zod';
import { loadBlankModel } from '../../engine/model/model.js';
import type { Dataset } from '../../data/dataset.js';
import { contactSheet } from '../../data/explore.js';
import { openDataset } from '../../data/index.js';
import { builtinTopology } from '../../job/models.js';
import { describe, explore } from '../commands/data.js';
import { checkArgument, checkDataset, checkOptions, datasetFields } from './check-options.js';
import { Picture } from './picture.js';

export interface DatasetOptions {
  /** Directory or archive of CIFAR-10; default: `LOCKSTEP_DATA`, `./data`, the cache directory, or a download. */
  readonly data?: string | undefined;
  /** Use the synthetic dataset instead of CIFAR-10. */
  readonly synthetic?: boolean;
  /** Number of images used of each batch; default: all. */
  readonly limit?: number | undefined;
}

/**
 * Opens the dataset that a job with the same options trains on.
 * @throws JobError NO_DATA, BAD_DATA; TypeError for unknown or wrong options.
 */
export async function loadDataset(options: DatasetOptions = {}): Promise<Dataset> {
  checkOptions('loadDataset', z.strictObject(datasetFields), options);
  const { data, synthetic, limit } = options;
  const envPath = process.env['LOCKSTEP_DATA'];
  return openDataset({
    dataset: synthetic === true ? 'synthetic' : 'cifar10',
    cwd: process.cwd(),
    ...(data !== undefined && { path: data }),
    ...(envPath !== undefined && { envPath }),
    ...(limit !== undefined && { limit }),
  });
}

/** Images per row, or magnification. */
const pictureCount = z.int().min(1).max(1000).optional();

/** Describes a dataset as text: images per class in each batch, mean and deviation of each channel. */
export function describeDataset(dataset: Dataset): string {
  checkDataset('describeDataset', dataset);
  return describe(explore(dataset));
}

/** Picture of the first training images, one row per class. */
export function trainingImages(dataset: Dataset, options: { perClass?: number; scale?: number } = {}): Picture {
  checkDataset('trainingImages', dataset);
  checkOptions('trainingImages', z.strictObject({ perClass: pictureCount, scale: pictureCount }), options);
  const rows = dataset.classes.join(', ');
  return new Picture(contactSheet(dataset, options), `training images of ${dataset.title}, one row per class: ${rows}`);
}

/** TF.js's summary of a built-in model, such as `cnn3`, for a dataset's images. @throws JobError UNKNOWN_MODEL */
export async function describeModel(name: string, dataset: Dataset): Promise<string> {
  checkArgument('describeModel', 'name', z.string(), name);
  checkDataset('describeModel', dataset);
  const model = await loadBlankModel(builtinTopology(name, dataset.imageShape, dataset.classes.length));
  const lines: string[] = [];
  model.summary(80, [0.45, 0.8, 1], (line: string) => lines.push(line));
  model.dispose();
  return lines.join('\n');
}

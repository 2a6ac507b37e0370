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
  /** Directory or archive of CIFAR-10; else `LOCKSTEP_DATA`, `./data`, the cache directory, the download. */
  readonly data?: string | undefined;
  /** The synthetic stand-in instead of CIFAR-10. */
  readonly synthetic?: boolean;
  /** Only the first images of each batch, this many. */
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

/** Images in a row, or pixels per pixel. */
const pictureCount = z.int().min(1).max(1000).optional();

/** Images per class in each batch, and mean and deviation of each channel, as text. */
export function describeDataset(dataset: Dataset): string {
  checkDataset('describeDataset', dataset);
  return describe(explore(dataset));
}

/** The first training images of each class, a row per class. */
export function trainingImages(dataset: Dataset, options: { perClass?: number; scale?: number } = {}): Picture {
  checkDataset('trainingImages', dataset);
  checkOptions('trainingImages', z.strictObject({ perClass: pictureCount, scale: pictureCount }), options);
  const rows = dataset.classes.join(', ');
  return new Picture(contactSheet(dataset, options), `training images of ${dataset.title}, a row per class: ${rows}`);
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

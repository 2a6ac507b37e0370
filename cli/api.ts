/**
 * Lockstep as a library, for notebooks and scripts: `import { loadDataset, train } from 'lockstep'`.
 *
 * It is part of `cli/` because, like the commands, it reads the environment and starts processes.
 */
export { type DatasetOptions, describeDataset, describeModel, loadDataset, trainingImages } from './api/data.js';
export { Picture } from './api/picture.js';
export { openRun, type Run, type RunPicture } from './api/run.js';
export type { Tested } from './api/test.js';
export { train, TrainError, type TrainOptions } from './api/train.js';

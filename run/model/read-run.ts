import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeModel } from '../../engine/model/model.js';
import { JobError } from '../../job/errors.js';
import type { JobManifest } from '../../job/manifest.js';
import { modelCard } from '../../job/model-card.js';
import { manifestPlan } from '../../job/plan.js';
import { checkpointName, checkpointSteps } from '../checkpoint/checkpoint-decisions.js';
import { decodeCheckpoint, stateLayout } from '../checkpoint/checkpoint-file.js';
import { readRunFile } from '../run-files.js';
import { type CheckpointWish, chooseCheckpoint } from '../checkpoint/choose-checkpoint.js';
import type { TrainedModel } from './trained-model.js';

/** The model of a run at one of its checkpoints. */
export interface RunModel {
  readonly manifest: JobManifest;
  readonly model: TrainedModel;
  readonly stepsPerEpoch: number;
}

/**
 * Reads the model from one of a run's checkpoints. The run is neither locked nor changed, and may be in progress.
 * @throws JobError BAD_RUN_DIRECTORY that lists the checkpoints when the wanted one is missing or damaged.
 */
export async function readRunModel(run: string, wish: CheckpointWish): Promise<RunModel> {
  const manifest = await readRunFile(run, 'job.json');
  const { stepsPerEpoch } = manifestPlan(manifest);
  const steps = checkpointSteps(await readdir(join(run, 'checkpoints')).catch(() => []));
  const entries = await readRunFile(run, 'evaluations.jsonl').catch(() => []);
  const evaluations = entries.map(({ record }) => record);
  const choice = chooseCheckpoint(wish, { steps, evaluations, stepsPerEpoch });
  if ('problem' in choice) throw new JobError('BAD_RUN_DIRECTORY', `read run ${run}: ${choice.problem}`);
  return { manifest, model: await readModel(run, manifest, choice.step), stepsPerEpoch };
}

async function readModel(run: string, manifest: JobManifest, step: number): Promise<TrainedModel> {
  const { topology, digest } = manifest;
  const layout = await describeModel(topology);
  const path = join(run, 'checkpoints', checkpointName(step));
  try {
    const wanted = { job: digest, step };
    const { state } = decodeCheckpoint(stateLayout(manifest.spec, layout), wanted, await readFile(path));
    return { card: modelCard(manifest, step), topology, layout, params: state.params, state: state.state };
  } catch (cause) {
    const message = `read run: expected an intact checkpoint, got ${(cause as Error).message}; ${path}; choose another`;
    throw new JobError('BAD_RUN_DIRECTORY', `${message}: --checkpoint best, last, epoch:N or step:N`, { cause });
  }
}

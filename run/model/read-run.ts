import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeModel } from '../../engine/model/model.js';
import { JobError } from '../../job/errors.js';
import { type JobManifest, parseManifest } from '../../job/manifest.js';
import { modelCard } from '../../job/model-card.js';
import { manifestPlan } from '../../job/plan.js';
import { checkpointName, checkpointSteps } from '../checkpoint/checkpoint-decisions.js';
import { decodeCheckpoint, stateLayout } from '../checkpoint/checkpoint-file.js';
import { cutEvaluations } from '../record-format.js';
import { type CheckpointWish, chooseCheckpoint } from '../checkpoint/choose-checkpoint.js';
import type { TrainedModel } from './trained-model.js';

/** A state of a run, finished or not. */
export interface RunModel {
  readonly manifest: JobManifest;
  readonly model: TrainedModel;
  readonly stepsPerEpoch: number;
}

/**
 * Reads one of a run's checkpoints; the run is neither locked nor changed, and may go on meanwhile.
 * @throws JobError BAD_RUN_DIRECTORY that lists what there is, when it is not there or damaged.
 */
export async function readRunModel(run: string, wish: CheckpointWish): Promise<RunModel> {
  const manifest = parseManifest(await readFile(join(run, 'job.json'), 'utf8'));
  const { stepsPerEpoch } = manifestPlan(manifest);
  const steps = checkpointSteps(await readdir(join(run, 'checkpoints')).catch(() => []));
  const records = await readFile(join(run, 'evaluations.jsonl'), 'utf8').catch(() => '');
  const evaluations = cutEvaluations(records, Infinity).kept.map(({ record }) => record);
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
    const message = `read run: expected a whole checkpoint, got ${(cause as Error).message}; ${path}; choose another`;
    throw new JobError('BAD_RUN_DIRECTORY', `${message}: --checkpoint best, last, epoch:N or step:N`, { cause });
  }
}

import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobError } from '../job/errors.js';
import { manifestPlan } from '../job/plan.js';
import { checkpointName, checkpointSteps } from './checkpoint/checkpoint-decisions.js';
import type { RecordedRun } from './history/compare-digests.js';

/** Epochs of a run, both included, from 1. */
export interface EpochRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Parses `a..b`, or `a` for one epoch; default: all epochs of the run.
 * @throws JobError BAD_OPTION when the run doesn't have them.
 */
export function parseEpochs(text: string | undefined, epochs: number): EpochRange {
  if (text === undefined && epochs > 0) return { first: 1, last: epochs };
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(text ?? '');
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match && first >= 1 && first <= last && last <= epochs) return { first, last };
  const found = text ?? 'a run without a complete epoch';
  throw new JobError('BAD_OPTION', `--epochs: expected a..b within 1..${epochs}, got ${found}`);
}

/**
 * Creates a temporary run directory with the run's checkpoints up to epoch `first`, so that a coordinator started on it
 * retrains the epochs from `first` on. The run itself is only read.
 * @returns the directory; the caller removes it.
 */
export async function prepareReplay({ path, manifest }: RecordedRun, { first }: EpochRange): Promise<string> {
  const before = (first - 1) * manifestPlan(manifest).stepsPerEpoch;
  const steps = checkpointSteps(await readdir(join(path, 'checkpoints'))).filter((step) => step <= before);
  if (steps.length === 0) {
    const message = `verify ${path}: expected a checkpoint at or before step ${before}, got none`;
    throw new JobError('BAD_RUN_DIRECTORY', message);
  }
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-replay-'));
  try {
    await mkdir(join(directory, 'checkpoints'));
    const names = steps.map((step) => join('checkpoints', checkpointName(step)));
    for (const name of ['job.json', 'digests.jsonl', ...names]) await copyFile(join(path, name), join(directory, name));
    await writeFile(join(directory, 'run.json'), JSON.stringify(await engineRecord(path)));
    return directory;
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Content of the replay's `run.json`: it keeps the run's engine, but not its outcome. */
async function engineRecord(path: string): Promise<object> {
  const run = JSON.parse(await readFile(join(path, 'run.json'), 'utf8')) as Record<string, unknown>;
  return { outcome: 'running', engine: run['engine'], reproducible: run['reproducible'] };
}

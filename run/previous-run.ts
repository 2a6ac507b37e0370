import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { arithmeticOf } from '../engine/arithmetic.js';
import { JobError } from '../job/errors.js';
import { digestedDifferences } from '../job/job-digest.js';
import { type JobManifest, parseManifest } from '../job/manifest.js';
import type { JobSpec } from '../job/spec.js';
import { checkpointName, checkpointSteps, decideCheckpoint } from './checkpoint/checkpoint-decisions.js';
import { type Checkpoint, decodeCheckpoint, type StateLayout } from './checkpoint/checkpoint-file.js';
import type { RunDirectory } from './run-directory.js';
import { parseRunRecord, type RunRecord } from './run-json.js';

/** A run found in a directory. */
export interface PreviousRun {
  readonly manifest: JobManifest;
  readonly record: RunRecord;
}

/**
 * The run in a directory, if any. A run exists once it has its `job.json`; files of a start that ended before that are
 * ignored.
 * @throws JobError BAD_RUN_DIRECTORY when the run is finished or unreadable.
 */
export async function readPreviousRun(directory: RunDirectory): Promise<PreviousRun | undefined> {
  const [job, run] = [await directory.read('job.json'), await directory.read('run.json')];
  if (job === undefined) return undefined;
  const previous = parsePrevious(directory.path, job, run ?? '{"outcome":"running"}');
  if (previous.record.outcome === 'finished') throw finishedRun(directory.path, previous.manifest.spec.epochs);
  return previous;
}

function parsePrevious(path: string, job: string, run: string): PreviousRun {
  try {
    return { manifest: parseManifest(job), record: parseRunRecord(run) };
  } catch (cause) {
    throw cannotResume(path, `a run that cannot be read (${(cause as Error).message})`, cause);
  }
}

/**
 * Checks that `engine` computes by the arithmetic of a run, which needs neither the data nor the model.
 * @throws JobError BAD_OPTION, because another attempt would fail, too.
 */
export function checkArithmetic(path: string, before: JobManifest, engine: JobSpec['engine']): void {
  const arithmetic = arithmeticOf(engine);
  if (before.arithmetic === arithmetic || before.arithmetic === null || arithmetic === null) return;
  const [old, remedy] =
    before.arithmetic === 0
      ? ['arithmetic 0 (Lockstep 0.5 and earlier)', 'use Lockstep 0.5.6 for it']
      : [`arithmetic ${before.arithmetic}`, 'use the Lockstep version that started it'];
  throw new JobError(
    'BAD_OPTION',
    `run directory ${path}: expected a run of arithmetic ${arithmetic}, got one of ${old}, which this version cannot ` +
      `resume or replay with the same bits; ${remedy}, or start a new run with another --run DIR`,
  );
}

/** @throws JobError BAD_RUN_DIRECTORY that lists the differences when `job` is not the job of the run. */
export function checkSameJob(path: string, before: JobManifest, job: JobManifest): void {
  if (before.digest === job.digest) return;
  const fields = digestedDifferences(before.spec, job.spec).map(
    (field) => `  ${field.path}: ${show(field.before)} in the run, ${show(field.after)} now`,
  );
  if (before.dataset.digest !== job.dataset.digest) {
    fields.push(`  dataset: ${describeData(before)} in the run, ${describeData(job)} now`);
  }
  if (fields.length === 0) fields.push('  model: topology or defaults differ, as in another version of Lockstep');
  throw new JobError(
    'BAD_RUN_DIRECTORY',
    `run directory ${path}: expected the job of the existing run, got a different one:\n${fields.join('\n')}\n` +
      'resume with the same job (lockstep train --resume DIR), or pass another --run DIR',
  );
}

function describeData({ dataset: { title, digest } }: JobManifest): string {
  return `${title} ${digest.slice(0, 12)}`;
}

function show(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}

/** The checkpoint that a run resumes from. */
export interface FoundCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Steps of the checkpoints up to it. */
  readonly present: readonly number[];
  /** Reason for this choice, and for skipping newer ones. */
  readonly reason: string;
}

/**
 * Reads the newest intact checkpoint and removes the damaged ones after it.
 * @throws JobError BAD_RUN_DIRECTORY when there is none.
 */
export async function findCheckpoint(
  directory: RunDirectory,
  layout: StateLayout,
  job: string,
): Promise<FoundCheckpoint> {
  const steps = checkpointSteps(await directory.listCheckpoints());
  const damaged = new Map<number, string>();
  for (;;) {
    const { step, reason } = decideCheckpoint(steps, damaged);
    if (step === undefined) throw cannotResume(directory.path, `a run without an intact checkpoint: ${reason}`);
    try {
      const bytes = await directory.readBytes(`checkpoints/${checkpointName(step)}`);
      const checkpoint = decodeCheckpoint(layout, { job, step }, bytes);
      for (const bad of damaged.keys()) await rm(join(directory.path, 'checkpoints', checkpointName(bad)));
      return { checkpoint, present: steps.filter((present) => present <= step), reason };
    } catch (error) {
      damaged.set(step, (error as Error).message);
    }
  }
}

function cannotResume(path: string, found: string, cause?: unknown): JobError {
  const message = `run directory ${path}: expected a new directory or a run to resume, got ${found}`;
  return new JobError('BAD_RUN_DIRECTORY', `${message}; pass another --run DIR`, { cause });
}

/** The error for the directory of a finished run. @param epochs - length of the run, if known. */
export function finishedRun(path: string, epochs?: number): JobError {
  const after = epochs === undefined ? '' : ` after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
  return new JobError(
    'BAD_RUN_DIRECTORY',
    `run directory ${path}: expected no run or an unfinished one, got a run that finished${after}; a finished run ` +
      'cannot be resumed or extended: to train for longer, start a new run with more --epochs and another --run DIR',
  );
}

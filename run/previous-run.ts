import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { JobError } from '../job/errors.js';
import { identityDifferences } from '../job/job-digest.js';
import { type JobManifest, parseManifest } from '../job/manifest.js';
import { checkpointName, checkpointSteps, decideCheckpoint } from './checkpoint/checkpoint-decisions.js';
import { type Checkpoint, decodeCheckpoint, type StateLayout } from './checkpoint/checkpoint-file.js';
import type { RunEngine } from '../coordinator/membership/admission.js';
import type { RunDirectory } from './run-directory.js';

const counted = z.looseObject({ steps: z.number(), seconds: z.number() });
const runRecordSchema = z.looseObject({
  outcome: z.enum(['running', 'finished', 'stopped', 'failed']),
  /** Names the run over all its starts; runs of older versions get theirs at the next start. */
  runId: z.string().min(1).max(100).optional(),
  /** Starts of the coordinator on this run so far. */
  term: z.int().min(1).default(1),
  /** Updates that were made again because the checkpoint before them was gone on from. */
  repeated: counted.default({ steps: 0, seconds: 0 }),
  engine: z
    .looseObject({
      name: z.string(),
      version: z.string(),
      device: z.string(),
      lowering: z.string(),
      threads: z.number(),
      fingerprint: z.string(),
    })
    .optional(),
  reproducible: z.boolean().default(true),
});

/** What `run.json` says of a run before it has ended, and for the next start. */
export type RunRecord = z.infer<typeof runRecordSchema>;

/** What a run directory says of the run that it holds. */
export interface PreviousRun {
  readonly manifest: JobManifest;
  readonly record: RunRecord;
}

/**
 * The run that a directory holds, if any: a run begins with its `job.json`. What an attempt left that did not get so
 * far is of no interest.
 * @throws JobError BAD_RUN_DIRECTORY when it is over or cannot be read.
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
    return { manifest: parseManifest(job), record: runRecordSchema.parse(JSON.parse(run)) };
  } catch (cause) {
    const found = `one that holds a run already, which cannot be read (${(cause as Error).message})`;
    throw cannotGoOn(path, found, cause);
  }
}

/** What a run computed with so far; binding for those who go on with it. */
export function engineOf({ engine, reproducible }: RunRecord): RunEngine | undefined {
  return engine && engine.fingerprint !== '' ? { engine, reproducible } : undefined;
}

/** @throws JobError BAD_RUN_DIRECTORY that lists what differs, when `job` is not the job of the run. */
export function checkSameJob(path: string, before: JobManifest, job: JobManifest): void {
  if (before.digest === job.digest) return;
  const fields = identityDifferences(before.spec, job.spec).map(
    (field) => `  ${field.path}: ${show(field.before)} in the run, ${show(field.after)} now`,
  );
  if (before.dataset.digest !== job.dataset.digest) {
    fields.push(`  dataset: ${describeData(before)} in the run, ${describeData(job)} now`);
  }
  if (fields.length === 0) fields.push('  model: topology or defaults differ, as in another version of Lockstep');
  throw new JobError(
    'BAD_RUN_DIRECTORY',
    `run directory ${path}: expected the job of the run that it holds, got another one:\n${fields.join('\n')}\n` +
      'go on with the same job (lockstep train --resume DIR), or pass another --run DIR',
  );
}

function describeData({ dataset: { title, digest } }: JobManifest): string {
  return `${title} ${digest.slice(0, 12)}`;
}

function show(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}

/** The checkpoint that a run goes on from. */
export interface FoundCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Steps of the checkpoints up to it. */
  readonly present: readonly number[];
  /** Which one, and why not a newer one. */
  readonly reason: string;
}

/**
 * Reads the newest checkpoint that is whole, and removes the damaged ones after it.
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
    if (step === undefined) throw cannotGoOn(directory.path, reason);
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

/** The error for a directory whose run cannot be gone on with. */
export function cannotGoOn(path: string, found: string, cause?: unknown): JobError {
  const wanted = 'expected a new place, or a run to go on with';
  return new JobError('BAD_RUN_DIRECTORY', `run directory ${path}: ${wanted}, got ${found}; pass another --run DIR`, {
    cause,
  });
}

/** The error for a directory whose run is finished. @param epochs - length of the run, if known. */
export function finishedRun(path: string, epochs?: number): JobError {
  const after = epochs === undefined ? '' : ` after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
  return new JobError(
    'BAD_RUN_DIRECTORY',
    `run directory ${path}: expected no run or an unfinished one, got a run that is finished${after}; a finished run ` +
      'cannot be resumed or extended: to train for longer, start a new run with more --epochs and another --run DIR',
  );
}

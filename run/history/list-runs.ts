import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { JobManifest } from '../../job/manifest.js';
import { manifestPlan } from '../../job/plan.js';
import type { DigestEntry, EvaluationEntry } from '../records.js';
import { isInUse } from '../lock/run-lock.js';
import { readRunFile } from '../run-files.js';

/**
 * State of a run: its recorded outcome, or `running` while a coordinator holds its lock, `interrupted` if it ended
 * without a result and can be resumed, `damaged` if its files are unreadable.
 */
type ListedState = 'running' | 'finished' | 'stopped' | 'interrupted' | 'failed' | 'damaged';

/** A row of `lockstep runs`. Unknown values are null, so that JSON has every field. */
export interface ListedRun {
  readonly name: string;
  readonly path: string;
  readonly state: ListedState;
  /** Reason why it failed or is damaged. */
  readonly problem: string | null;
  readonly model: string | null;
  /** e.g. `CIFAR-10 (JPEG copy)`. */
  readonly dataset: string | null;
  readonly steps: number | null;
  readonly totalSteps: number | null;
  /** Complete epochs, and the job's total. */
  readonly epochsDone: number | null;
  readonly epochs: number | null;
  /** Share of test images classified correctly at the last evaluation. */
  readonly accuracy: number | null;
  readonly testLoss: number | null;
  /** The final digest; of an unfinished run, the chain's newest entry. */
  readonly digest: string | null;
  /** Time spent in training. */
  readonly seconds: number | null;
  /** Last change of its records, ISO 8601. */
  readonly when: string;
}

/** The runs in a folder, newest first; other entries are ignored. @throws the system's error if it is not a folder. */
export async function listRuns(folder: string, nowMs: number): Promise<ListedRun[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const runs: ListedRun[] = [];
  for (const entry of entries) {
    const run = entry.isDirectory() ? await listRun(join(folder, entry.name), entry.name, nowMs) : undefined;
    if (run) runs.push(run);
  }
  return runs.sort((a, b) => b.when.localeCompare(a.when) || a.name.localeCompare(b.name));
}

/** Files that only a run directory has. */
const marks = ['steps.csv', 'run.json', 'job.json'];

/** Row of the run in a directory; undefined if there is none. */
export async function listRun(path: string, name: string, nowMs: number): Promise<ListedRun | undefined> {
  const changes = await Promise.all(marks.map((file) => changedMs(join(path, file))));
  if (changes.every((ms) => ms === undefined)) return undefined;
  const when = new Date(Math.max(...changes.map((ms) => ms ?? 0))).toISOString();
  try {
    return { ...unknown, name, path, when, ...(await readRun(path, nowMs)) };
  } catch (error) {
    return { ...unknown, name, path, when, state: 'damaged', problem: (error as Error).message };
  }
}

const unknown = {
  problem: null,
  model: null,
  dataset: null,
  steps: null,
  totalSteps: null,
  epochsDone: null,
  epochs: null,
  accuracy: null,
  testLoss: null,
  digest: null,
  seconds: null,
};

async function readRun(path: string, nowMs: number): Promise<Partial<ListedRun> & { state: ListedState }> {
  const manifest = await read(path, 'job.json');
  const record = await read(path, 'run.json');
  const digests = await read(path, 'digests.jsonl');
  const evaluations = await read(path, 'evaluations.jsonl');
  const inUse = record.outcome !== 'finished' && (await isInUse(path, nowMs));
  const ended = record.outcome === 'running' ? 'interrupted' : record.outcome;
  const known = { ...describeJob(manifest), ...describeRecords(digests, evaluations) };
  const { steps, seconds, finalDigest } = record;
  if (
    !inUse &&
    (ended === 'finished' || ended === 'stopped') &&
    steps !== undefined &&
    seconds !== undefined &&
    finalDigest !== undefined
  ) {
    return { ...known, state: ended, steps, seconds, digest: finalDigest };
  }
  const problem = !inUse && ended === 'failed' ? (record.failure ?? 'failed') : null;
  return { ...known, ...(await countSteps(path, evaluations)), problem, state: inUse ? 'running' : ended };
}

function describeJob(manifest: JobManifest) {
  const { spec, dataset } = manifest;
  const { totalSteps, epochs } = manifestPlan(manifest);
  return { model: spec.model, dataset: dataset.title, totalSteps, epochs };
}

function describeRecords(digests: readonly DigestEntry[], evaluations: readonly EvaluationEntry[]) {
  const test = evaluations.at(-1)?.record;
  const [accuracy, testLoss] = test ? [test.correct / test.total, test.loss] : [null, null];
  return { epochsDone: digests.length, digest: digests.at(-1)?.digest ?? null, accuracy, testLoss };
}

/** Steps and time of a run without a result, from its records; without pauses and repeated steps. */
async function countSteps(path: string, evaluations: readonly EvaluationEntry[]) {
  const steps = await read(path, 'steps.csv');
  const ms = [...steps, ...evaluations].reduce((sum, { durationMs }) => sum + durationMs, 0);
  return { steps: (steps.at(-1)?.step ?? -1) + 1, seconds: ms / 1000 };
}

/** @throws Error that names the unreadable file and the reason, in one line. */
async function read<Name extends Parameters<typeof readRunFile>[1]>(path: string, name: Name) {
  try {
    return await readRunFile(path, name);
  } catch (cause) {
    const found = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    const { cause: inner } = cause as { readonly cause?: unknown };
    const text = inner instanceof z.ZodError ? z.prettifyError(inner) : found;
    throw new Error(`${name}: ${text.replaceAll(/\s+/g, ' ').slice(0, 200)}`, { cause });
  }
}

async function changedMs(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { JobError } from '../job/errors.js';
import { digestedDifferences, type SpecDifference } from '../job/job-digest.js';
import { isModelFile } from '../job/models.js';
import { parseManifest } from '../job/manifest.js';
import type { JobSpec } from '../job/spec.js';
import { RunDirectory } from '../run/run-directory.js';
import { readIndex, readChunk } from './object-chunks.js';
import {
  objectChunkBytes,
  type RegistryEntry,
  type RunIndex,
  runIdSchema,
  type StoredFile,
  parseJson,
} from './payloads.js';
import { sha256Of } from './run-files.js';
import type { Seal } from './seal.js';
import type { Stores } from './stores.js';

/** Run in a local directory. Runs of older versions have no id. */
export interface LocalRun {
  readonly runId: string | undefined;
  readonly isFinished: boolean;
}

/** Reads the run in a directory; undefined if there is none. */
export async function readLocalRun(directory: string): Promise<LocalRun | undefined> {
  const read = (name: string) => readFile(join(directory, name), 'utf8').catch(() => undefined);
  if ((await read('job.json')) === undefined) return undefined;
  return parseRecord(await read('run.json'));
}

const recordSchema = z
  .looseObject({ runId: runIdSchema.optional().catch(undefined), outcome: z.string().optional() })
  .catch({});

/** Reads `run.json`. If it is invalid, the coordinator reports that later. */
function parseRecord(text: string | undefined): LocalRun {
  const { runId, outcome } = recordSchema.parse(parseJson(text));
  return { runId, isFinished: outcome === 'finished' };
}

/**
 * Run that a coordinator resumes: the one in its directory, otherwise the one in the registry unless it is finished.
 * @param newId - for a run that has no id yet.
 */
export function decideRun(
  local: LocalRun | undefined,
  entry: RegistryEntry | undefined,
  newId: string,
): { readonly runId: string; readonly restore: boolean } {
  if (local) return { runId: local.runId ?? newId, restore: false };
  if (entry && entry.state !== 'finished') return { runId: entry.runId, restore: true };
  return { runId: newId, restore: false };
}

export interface RestoreOptions {
  readonly stores: Stores;
  readonly entry: RegistryEntry;
  /** Spec of the job to run. */
  readonly spec: JobSpec;
  /** Run directory; contains no run yet. */
  readonly directory: string;
  /** Checks the index; undefined: the run has no token, and the store's contents are accepted as they are. */
  readonly seal: Seal | undefined;
  /** Start over if the stored run is damaged or isn't signed with this token, instead of refusing to start. */
  readonly startOver: boolean;
  readonly onNote: (message: string) => void;
}

/**
 * Fills a run directory from the object store, so that the coordinator resumes the run. The index is verified by its MAC
 * and each file by the digests in the index. `job.json`, which makes the directory a run, is written last.
 * @returns false when the store has nothing to resume.
 * @throws JobError BAD_RUN_DIRECTORY when the stored run is damaged or another job's. The directory then has no run.
 */
export async function restoreRun(options: RestoreOptions): Promise<boolean> {
  const { entry, startOver, onNote } = options;
  const { job, runId } = entry;
  try {
    const left = await restoreFiles(options);
    if (left !== undefined) onNote(`NATS: run ${runId} of job ${job} ${left}; starting over`);
    return left === undefined;
  } catch (error) {
    if (!startOver || !(error instanceof Damaged)) throw error;
    onNote(`${error.message}; starting over`);
    return false;
  }
}

/** @returns the reason if there is nothing to resume; undefined once the run is restored. */
async function restoreFiles({ stores, entry, spec, directory, seal, onNote }: RestoreOptions) {
  const { job, runId } = entry;
  const index = await readIndex(stores, entry, seal).catch((cause: unknown) => {
    throw damaged(job, `an index that can't be used: ${(cause as Error).message}`, cause);
  });
  if (!index) return 'has no checkpoint';
  const fetch = (name: string) => fetchNamed(stores, index, name);
  const [record, manifest] = [await fetch('run.json'), await fetch('job.json')];
  if (parseRecord(record.toString()).isFinished) return 'is finished';
  checkSpec(job, parseManifest(manifest.toString()).spec, spec);
  const records = index.files.filter(isRecord);
  const contents = new Map<string, Buffer>();
  for (const { name } of records) contents.set(name, await fetch(name));
  const target = await RunDirectory.open(directory, onNote);
  try {
    const checkpoints = await restoreCheckpoints(stores, index, target, onNote);
    if (checkpoints === 0) throw damaged(job, 'no intact checkpoint');
    for (const [name, content] of contents) await target.write(name, content);
    await target.write('run.json', raiseTerm(record, entry));
    await target.write('job.json', manifest);
  } finally {
    await target.close();
  }
  onNote(`NATS: resuming run ${runId} of job ${job}, which was at step ${index.step} with ${index.owner}`);
  return undefined;
}

const isCheckpoint = ({ name }: StoredFile) => name.startsWith('checkpoints/');
const isRecord = ({ name }: StoredFile) => /^(steps|predictions)\.csv$|^(digests|evaluations)\.jsonl$/.test(name);

/** @returns the number of intact checkpoints. Damaged ones are skipped; the coordinator resumes from the newest. */
async function restoreCheckpoints(
  stores: Stores,
  index: RunIndex,
  target: RunDirectory,
  onNote: (message: string) => void,
): Promise<number> {
  let intact = 0;
  for (const file of index.files.filter(isCheckpoint)) {
    const bytes = await fetchFile(stores, index, file).catch((error: Error) => {
      onNote(`NATS: skipped ${file.name} of run ${index.runId}: ${error.message}`);
    });
    if (!bytes) continue;
    await target.write(file.name, bytes);
    intact++;
  }
  return intact;
}

async function fetchNamed(stores: Stores, index: RunIndex, name: string): Promise<Buffer> {
  const file = index.files.find((candidate) => candidate.name === name);
  if (!file) throw damaged(index.job, `no file ${name}`);
  return Buffer.concat(await fetchFile(stores, index, file));
}

/** Object chunks of a file. @throws JobError BAD_RUN_DIRECTORY when one is missing or doesn't match its digest. */
async function fetchFile(stores: Stores, index: RunIndex, { name, size, parts }: StoredFile): Promise<Uint8Array[]> {
  const content: Uint8Array[] = [];
  for (const [i, sha256] of parts.entries()) {
    const chunk = await readChunk(stores, index.job, index.runId, sha256).catch((error: Error) => {
      throw damaged(index.job, `${name} with a missing chunk (${error.message})`);
    });
    const expected = Math.min(objectChunkBytes, size - i * objectChunkBytes);
    if (sha256Of(chunk) !== sha256 || chunk.length !== expected) {
      throw damaged(index.job, `${name} with a damaged chunk`);
    }
    content.push(chunk);
  }
  return content;
}

/** Raises the term to the registry's, because the last start may not have stored its `run.json`. */
function raiseTerm(bytes: Buffer, { term }: RegistryEntry): string {
  const record = z.looseObject({ term: z.int().min(0).default(0) }).parse(parseJson(bytes.toString()));
  return `${JSON.stringify({ ...record, term: Math.max(record.term, term) }, null, 2)}\n`;
}

/** @throws JobError BAD_RUN_DIRECTORY when the stored run under this name is another job's. */
function checkSpec(job: string, before: JobSpec, wanted: JobSpec): void {
  // Without CIFAR-10 the synthetic dataset replaces it, and the model's file hasn't been read yet. The coordinator
  // compares data and topology itself.
  const isOpen = ({ path }: SpecDifference) =>
    path === 'data.dataset' || (isModelFile(wanted.model) && (path === 'model' || path === 'topology'));
  const fields = digestedDifferences(before, wanted).filter((field) => !isOpen(field));
  if (fields.length === 0) return;
  const show = (value: unknown) => (value === undefined ? '(none)' : JSON.stringify(value));
  const lines = fields.map((field) => `  ${field.path}: ${show(field.before)} there, ${show(field.after)} now`);
  throw new JobError(
    'BAD_RUN_DIRECTORY',
    `NATS: expected job ${job} to match the stored run, got a different job:\n${lines.join('\n')}\n` +
      'resume with the same job, or choose another --nats-job NAME',
  );
}

/** Error for a stored run that can't be used. */
class Damaged extends JobError {}

function damaged(job: string, found: string, cause?: unknown): Damaged {
  return new Damaged(
    'BAD_RUN_DIRECTORY',
    `NATS: expected a complete run of job ${job} in the object store, got ${found}; pass --nats-start-over to train from ` +
      'the first step, or choose another --nats-job NAME',
    { cause },
  );
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JobError } from '../../job/errors.js';
import { parseManifest } from '../../job/manifest.js';
import type { JobSpec } from '../../job/spec.js';
import { requireConsent } from '../model/module-consent.js';
import { namesModel, specFrom, type SpecOptions } from '../options/options.js';
import { newRunDirectory } from './run-path.js';
import { withDataPath } from '../options/spec-paths.js';

/** Options that select a run. */
export interface RunChoice extends SpecOptions {
  /** Directory of the run to resume. */
  resume?: string;
  run?: string;
  runs: string;
  /** `--data`: location of the dataset. */
  data?: string;
  /** Consent to run the module that a job file names. */
  allowModule?: boolean;
}

/** A job and its run directory, which may already exist. */
export interface ChosenRun {
  readonly spec: JobSpec;
  readonly runDirectory: string;
}

/**
 * Selects the run to resume, with its own job, or a run for the spec of file and flags. Flags override fields of a
 * resumed run's job; the coordinator rejects those that would change its result. A module that the file or the run names
 * needs the user's consent.
 * @throws JobError BAD_OPTION or BAD_SPEC.
 */
export async function chooseRun(file: string | undefined, options: RunChoice): Promise<ChosenRun> {
  const chosen = await readChoice(file, options);
  const source = options.resume === undefined ? file : join(options.resume, 'job.json');
  const namedIn = namesModel(options) ? undefined : source === '-' ? 'standard input' : source;
  await requireConsent({ spec: chosen.spec, namedIn, allow: options.allowModule === true });
  return chosen;
}

async function readChoice(file: string | undefined, options: RunChoice): Promise<ChosenRun> {
  const { resume, run, runs, data } = options;
  if (resume === undefined) {
    const spec = withDataPath(await specFrom(file, options), data);
    return { spec, runDirectory: run ?? newRunDirectory(runs, spec.name, new Date()) };
  }
  const others = [file, options.preset && `--preset ${options.preset}`, run && `--run ${run}`].filter(Boolean);
  if (others.length > 0) {
    const found = others.join(', ');
    throw new JobError('BAD_OPTION', `--resume: expected no other job, got ${found}; the run contains its job`);
  }
  const value = await specOfRun(resume);
  const spec = await specFrom({ value, locate: () => join(resume, 'job.json') }, options);
  return { spec: withDataPath(spec, data), runDirectory: resume };
}

async function specOfRun(directory: string): Promise<JobSpec> {
  const path = join(directory, 'job.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const found = (cause as Error).message;
    const message = `--resume: expected a run directory with job.json, got none (${found}); see lockstep runs`;
    throw new JobError('BAD_OPTION', message, { cause });
  });
  return parseManifest(text).spec;
}

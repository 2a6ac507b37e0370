import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { digestedDifferences } from '../../job/job-digest.js';
import { parseManifest } from '../../job/manifest.js';
import type { JobSpec } from '../../job/spec.js';

const finishedSchema = z.looseObject({ outcome: z.literal('finished'), finalDigest: z.string() });

/**
 * What there is to say when `directory` holds a run of this job that is over: whoever starts coordinators again, such as
 * Kubernetes, cannot know that the one before had done all its work.
 * @returns undefined where the directory holds no run, another job's, or one that is not over.
 */
export async function describeFinishedRun(directory: string, spec: JobSpec): Promise<string | undefined> {
  const [job, run] = await Promise.all(['job.json', 'run.json'].map((name) => readOptional(join(directory, name))));
  if (job === undefined || run === undefined) return undefined;
  const record = finishedSchema.safeParse(parseJson(run));
  if (!record.success || digestedDifferences(parseManifest(job).spec, spec).length > 0) return undefined;
  return (
    `${spec.name}: this run is finished, nothing is left to do; pass another --run DIR to train once more\n` +
    `Report: ${join(directory, 'report', 'index.html')}\nFinal digest: ${record.data.finalDigest}`
  );
}

async function readOptional(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** @returns undefined for what is no JSON; the coordinator says what is wrong with it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { digestedDifferences } from '../../job/job-digest.js';
import { parseManifest } from '../../job/manifest.js';
import type { JobSpec } from '../../job/spec.js';

const finishedSchema = z.looseObject({ outcome: z.literal('finished'), finalDigest: z.string() });

/**
 * Message for a start in the directory of a finished run of the same job. Kubernetes may restart a coordinator that had
 * already finished.
 * @returns undefined if the directory has no run, another job's, or an unfinished one.
 */
export async function describeFinishedRun(directory: string, spec: JobSpec): Promise<string | undefined> {
  const [job, run] = await Promise.all(['job.json', 'run.json'].map((name) => readOptional(join(directory, name))));
  if (job === undefined || run === undefined) return undefined;
  const record = finishedSchema.safeParse(parseJson(run));
  if (!record.success || digestedDifferences(parseManifest(job).spec, spec).length > 0) return undefined;
  return (
    `${spec.name}: this run is already finished; to train again, pass a new directory: --run DIR\n` +
    `Report: ${join(directory, 'report', 'index.html')}\nFinal digest: ${record.data.finalDigest}`
  );
}

async function readOptional(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** @returns undefined for invalid JSON, which the coordinator reports. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

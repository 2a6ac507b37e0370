import { basename } from 'node:path';
import { JobError } from '../../job/errors.js';
import type { JobManifest } from '../../job/manifest.js';
import { manifestPlan } from '../../job/plan.js';
import type { DigestEntry, EvaluationRecord, StepRecord } from '../records.js';
import { readRunFile } from '../run-files.js';
import { type ListedRun, listRun } from './list-runs.js';

/** A run in a comparison. */
export interface ComparedRun {
  /** Name of its directory, or its path if another run's directory has the same name. */
  readonly label: string;
  readonly summary: ListedRun;
  readonly manifest: JobManifest;
  readonly stepsPerEpoch: number;
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly digests: readonly DigestEntry[];
}

/** Reads complete or incomplete runs. @throws JobError BAD_RUN_DIRECTORY when one of them is missing or damaged. */
export async function readComparedRuns(paths: readonly string[], nowMs: number): Promise<ComparedRun[]> {
  const names = paths.map((path) => basename(path));
  const isTwice = (name: string) => names.filter((other) => other === name).length > 1;
  const runs: ComparedRun[] = [];
  for (const [i, path] of paths.entries()) runs.push(await readRun(path, isTwice(names[i]!) ? path : names[i]!, nowMs));
  return runs;
}

async function readRun(path: string, label: string, nowMs: number): Promise<ComparedRun> {
  const summary = await listRun(path, label, nowMs);
  if (!summary || summary.state === 'damaged') {
    const found = summary?.problem ?? 'none';
    throw new JobError('BAD_RUN_DIRECTORY', `compare ${path}: expected the directory of a run, got ${found}`);
  }
  const manifest = await readRunFile(path, 'job.json');
  return {
    label,
    summary,
    manifest,
    stepsPerEpoch: manifestPlan(manifest).stepsPerEpoch,
    steps: await readRunFile(path, 'steps.csv'),
    evaluations: (await readRunFile(path, 'evaluations.jsonl')).map(({ record }) => record),
    digests: await readRunFile(path, 'digests.jsonl'),
  };
}

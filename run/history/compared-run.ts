import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { JobError } from '../../job/errors.js';
import { type JobManifest, parseManifest } from '../../job/manifest.js';
import { manifestPlan } from '../../job/plan.js';
import type { DigestEntry, EvaluationRecord, StepRecord } from '../records.js';
import { cutDigests, cutEvaluations, parseSteps } from '../record-format.js';
import { type ListedRun, listRun } from './list-runs.js';

/** A run as it stands beside others. */
export interface ComparedRun {
  /** Its directory's name, or the path where two have the same. */
  readonly label: string;
  readonly summary: ListedRun;
  readonly manifest: JobManifest;
  readonly stepsPerEpoch: number;
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly digests: readonly DigestEntry[];
}

/** Reads runs, over or not. @throws JobError BAD_RUN_DIRECTORY when one of them is no run, or damaged. */
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
  const text = (name: string) => readFile(join(path, name), 'utf8');
  const manifest = parseManifest(await text('job.json'));
  return {
    label,
    summary,
    manifest,
    stepsPerEpoch: manifestPlan(manifest).stepsPerEpoch,
    steps: parseSteps(await text('steps.csv')),
    evaluations: cutEvaluations(await text('evaluations.jsonl'), Infinity).kept.map(({ record }) => record),
    digests: cutDigests(await text('digests.jsonl'), Infinity).kept,
  };
}

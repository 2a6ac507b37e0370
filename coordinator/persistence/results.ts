import type { TrainingState } from '../../job/digest.js';
import { modelCard } from '../../job/model-card.js';
import type { RunEngine } from '../../run/run-json.js';
import { modelFiles, modelFormats } from '../../run/model/trained-model.js';
import type { DigestEntry, EvaluationRecord, RunCounts } from '../../run/records.js';
import type { ReportInput } from '../../run/report/report-input.js';
import type { NothingToVerify, ShardTask } from '../../run/verify/shard-task.js';
import { createVerifyPage } from '../../run/verify/verify-page.js';
import type { RunDirectory } from '../../run/run-directory.js';
import { readRunFile } from '../../run/run-files.js';
import type { StoredJob } from './start-run.js';
import type { TrainingResult } from '../stepping/trainer-setup.js';

/** The result of a run that ended without an error. */
export interface RunResult {
  readonly outcome: 'finished' | 'stopped';
  readonly runDirectory: string;
  readonly report: string;
  readonly input: ReportInput;
}

type FinishedJob = Pick<StoredJob, 'manifest' | 'plan' | 'layout'>;

/** Writes the trained model in its three formats, and the report with a page to verify. */
export async function writeResults(
  directory: RunDirectory,
  job: FinishedJob,
  training: TrainingResult,
  {
    verify,
    ...run
  }: RunEngine & {
    readonly counts: RunCounts;
    readonly verify: ShardTask | NothingToVerify;
    readonly seconds: number;
    readonly evaluations: readonly EvaluationRecord[];
    readonly digests: readonly DigestEntry[];
  },
): Promise<RunResult> {
  const { manifest, plan } = job;
  await directory.endRecords();
  const verifyPage = createVerifyPage(verify);
  await writeModel(directory, job, training.snapshot);
  const steps = await readRunFile(directory.path, 'steps.csv');
  const { title, synthetic, classes, digest } = manifest.dataset;
  const input: ReportInput = {
    spec: manifest.spec,
    jobDigest: manifest.digest,
    dataset: { title, synthetic, classes, digest },
    parameterCount: manifest.parameterCount,
    stepsPerEpoch: plan.stepsPerEpoch,
    steps,
    lastTestRows: training.lastTestRows,
    outcome: training.outcome,
    finalDigest: training.finalDigest,
    workers: steps.reduce((most, step) => Math.max(most, step.workers), 0),
    ...run,
  };
  const { writeReport } = await import('../../run/report/write-report.js');
  const { indexHtml } = await writeReport(directory.path, input, { verify: await verifyPage });
  return { outcome: training.outcome, runDirectory: directory.path, report: indexHtml, input };
}

async function writeModel(
  directory: RunDirectory,
  job: FinishedJob,
  { step, params, state }: TrainingState,
): Promise<void> {
  const { manifest, layout } = job;
  const model = { card: modelCard(manifest, step), topology: manifest.topology, layout, params, state };
  for (const format of modelFormats) {
    for (const { name, content } of await modelFiles(model, format)) await directory.write(`model/${name}`, content);
  }
}

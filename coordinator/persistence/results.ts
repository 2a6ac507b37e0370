import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingState } from '../../job/digest.js';
import { modelCard } from '../../job/model-card.js';
import type { EngineClass } from '../membership/engine-class.js';
import { modelFiles, modelFormats } from '../../run/model/trained-model.js';
import type { PreparedJob } from '../prepare-job.js';
import type { DigestEntry, EvaluationRecord, RunCounts } from '../../run/records.js';
import type { ReportInput } from '../../run/report/report-input.js';
import type { RunDirectory } from '../../run/run-directory.js';
import { parseSteps } from '../../run/record-format.js';
import type { TrainingResult } from '../stepping/trainer-setup.js';

/** What a run leaves behind, besides the records that grew while it ran. */
export interface RunResult {
  readonly outcome: 'finished' | 'stopped';
  readonly runDirectory: string;
  readonly report: string;
  readonly input: ReportInput;
}

/** Writes the trained model in three forms, and the report. */
export async function writeResults(
  directory: RunDirectory,
  job: PreparedJob,
  training: TrainingResult,
  run: {
    readonly engine: EngineClass;
    readonly reproducible: boolean;
    readonly counts: RunCounts;
    readonly seconds: number;
    readonly evaluations: readonly EvaluationRecord[];
    readonly digests: readonly DigestEntry[];
  },
): Promise<RunResult> {
  const { manifest, plan } = job;
  await directory.endRecords();
  await writeModel(directory, job, training.snapshot);
  const steps = parseSteps(await readFile(join(directory.path, 'steps.csv'), 'utf8'));
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
  const { indexHtml } = await writeReport(directory.path, input);
  return { outcome: training.outcome, runDirectory: directory.path, report: indexHtml, input };
}

async function writeModel(
  directory: RunDirectory,
  job: PreparedJob,
  { step, params, state }: TrainingState,
): Promise<void> {
  const { manifest, layout } = job;
  const model = { card: modelCard(manifest, step), topology: manifest.topology, layout, params, state };
  for (const format of modelFormats) {
    for (const { name, content } of await modelFiles(model, format)) await directory.write(`model/${name}`, content);
  }
}

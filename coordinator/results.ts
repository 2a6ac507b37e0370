import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelLayout } from '../engine/engine.js';
import { exportOnnx, exportTfjs } from '../engine/export.js';
import { encodeSafetensors, type NamedTensor } from '../engine/safetensors.js';
import type { TrainingState } from '../job/digest.js';
import { namedTensors } from './checkpoint-file.js';
import type { EngineClass } from './engine-class.js';
import type { PreparedJob } from './prepare-job.js';
import type { DigestEntry, EvaluationRecord, RunCounts } from './records.js';
import type { ReportInput } from './report/report-input.js';
import type { RunDirectory } from './run-directory.js';
import { parseSteps } from './run-records.js';
import type { TrainingResult } from './trainer-setup.js';

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
  const { writeReport } = await import('./report/write-report.js');
  const { indexHtml } = await writeReport(directory.path, input);
  return { outcome: training.outcome, runDirectory: directory.path, report: indexHtml, input };
}

async function writeModel(directory: RunDirectory, job: PreparedJob, snapshot: TrainingState): Promise<void> {
  const { manifest, layout } = job;
  const { modelJson, weights } = exportTfjs(manifest.topology, layout, snapshot.params, snapshot.state);
  await directory.write('model/weights.bin', weights);
  await directory.writeJson('model/model.json', modelJson);
  const onnx = await exportOnnx({
    topology: manifest.topology,
    imageShape: manifest.dataset.imageShape,
    classes: manifest.dataset.classes.length,
    normalise: manifest.dataset.normalise,
    params: snapshot.params,
    state: snapshot.state,
  });
  await directory.write('model/model.onnx', onnx);
  const metadata = { job: manifest.digest, step: String(snapshot.step), dataset: manifest.dataset.title };
  await directory.write('model/model.safetensors', encodeSafetensors(modelTensors(layout, snapshot), metadata));
}

function modelTensors(layout: ModelLayout, snapshot: TrainingState): NamedTensor[] {
  return [...namedTensors(layout.parameters, snapshot.params, ''), ...namedTensors(layout.state, snapshot.state, '')];
}

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ModelLayout } from '../../engine/engine.js';
import type { TrainingState } from '../../job/digest.js';
import type { JobManifest } from '../../job/manifest.js';
import type { StepPlan } from '../../job/plan.js';
import { type StateLayout, stateLayout } from '../../run/checkpoint/checkpoint-file.js';
import { parsePredictions, predictionsFile } from '../../run/predictions-csv.js';
import { checkSameJob, type FoundCheckpoint, findCheckpoint, type PreviousRun } from '../../run/previous-run.js';
import type { DigestEntry, EvaluationEntry, RecordedHistory } from '../../run/records.js';
import type { RecordsSoFar, RunDirectory } from '../../run/run-directory.js';
import { engineOf, type RunEngine, RunJson } from '../../run/run-json.js';
import type { RunEvents } from '../state/events.js';
import { RunHistory } from '../state/history.js';
import { subscribe } from '../state/subscribe.js';
import type { ResumePoint } from '../stepping/trainer-setup.js';
import { Checkpoints } from './checkpoints.js';

/** The parts of a compiled job that its run directory needs. */
export interface StoredJob {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly layout: ModelLayout;
  readonly initial: { readonly params: Float32Array; readonly state: Float32Array };
  readonly testLabels: Uint8Array;
}

/** A start of the coordinator on a new or resumed run. */
export interface RunStart {
  /** Counts the starts, from 1. */
  readonly term: number;
  /** Names the run across all its starts. */
  readonly runId: string;
  readonly runJson: RunJson;
  readonly checkpoints: Checkpoints;
  /** State of a resumed run. */
  readonly resume: ResumePoint | undefined;
  /** Engine of a resumed run, once it had one. */
  readonly engine: RunEngine | undefined;
  /** Of the whole run; grow during training. */
  readonly evaluations: EvaluationEntry[];
  readonly digests: DigestEntry[];
  /** Summary of all starts, in bounded memory. */
  readonly history: RunHistory;
  /** Reads the records of earlier starts. */
  readonly before: () => Promise<RecordedHistory>;
  /** Resolves once everything that a later start needs is on disk. @throws JobError BAD_RUN_DIRECTORY */
  readonly durable: Promise<void>;
  /** Time that earlier starts spent in steps and evaluations, including those that must be computed again. */
  readonly secondsBefore: number;
}

export interface RunStartOptions {
  readonly directory: RunDirectory;
  readonly previous: PreviousRun | undefined;
  readonly job: StoredJob;
  readonly events: RunEvents;
  /** Id for a new run. */
  readonly runId?: string | undefined;
  /** Called when a checkpoint cannot be written. */
  readonly onError: (error: Error) => void;
}

/**
 * Creates a run in its directory, or resumes the one in it. Files that a later start needs are still being written when
 * it resolves: workers need not wait for them, but the first step must wait for `durable`.
 * @throws JobError BAD_RUN_DIRECTORY when the directory has another job's run, or one without an intact checkpoint.
 */
export async function startRun(options: RunStartOptions): Promise<RunStart> {
  const { directory, previous, job, events, onError } = options;
  const { manifest, plan } = job;
  const layout = stateLayout(manifest.spec, job.layout);
  if (previous) checkSameJob(directory.path, previous.manifest, manifest);
  const found = previous && (await findCheckpoint(directory, layout, manifest.digest));
  const records = await directory.beginRecords(found?.checkpoint.state.step ?? 0);
  const evaluations = [...records.evaluations.kept];
  const checkpoints = new Checkpoints({
    path: join(directory.path, 'checkpoints'),
    layout,
    job: manifest.digest,
    stepsPerEpoch: plan.stepsPerEpoch,
    everySteps: manifest.spec.checkpoint.everySteps,
    present: found?.present ?? [],
    flushRecords: () => directory.flushRecords(),
    evaluations: () => evaluations.map(({ record }) => record),
    events,
    onError,
  });
  const term = (previous?.record.term ?? 0) + 1;
  const repeated = addRepeated(previous, records);
  const engine = previous && engineOf(previous.record);
  const runId = previous?.record.runId ?? options.runId ?? randomUUID();
  const runJson = new RunJson(directory, manifest, { runId, term, repeated, ...engine });
  const initial = found ? undefined : initialState(job, layout);
  const durable = writeBegin({ directory, manifest, checkpoints, runJson, initial });
  // Training awaits it, but may never start.
  durable.catch(() => undefined);
  const step = found?.checkpoint.state.step ?? 0;
  const history = await beginHistory(directory, records, job, step);
  subscribe(events, 'history', (event) => history.add(event, Date.now()), 'continue');
  if (found) events.emit({ type: 'note', message: describeResume(found, term, plan.totalSteps) });
  const resume = found && { ...found.checkpoint, evaluation: evaluations.at(-1) };
  const secondsBefore = secondsOf(records, 'kept') + repeated.seconds;
  const digests = [...records.digests.kept];
  const begun = { term, runId, runJson, checkpoints, resume, engine, evaluations, digests, durable, secondsBefore };
  return { ...begun, history, before: () => directory.recordsUpTo(step) };
}

/** Writes the checkpoint of a new run, the term, and finally `job.json`, which makes it a run. */
async function writeBegin(run: {
  readonly directory: RunDirectory;
  readonly manifest: JobManifest;
  readonly checkpoints: Checkpoints;
  readonly runJson: RunJson;
  readonly initial: TrainingState | undefined;
}): Promise<void> {
  const { directory, manifest, checkpoints, runJson, initial } = run;
  if (initial) await checkpoints.save(initial, manifest.digest);
  await runJson.update({});
  await directory.writeJson('job.json', manifest);
}

async function beginHistory(
  directory: RunDirectory,
  { steps, evaluations, digests }: RecordsSoFar,
  { testLabels }: StoredJob,
  checkpointStep: number,
): Promise<RunHistory> {
  const last = evaluations.kept.at(-1);
  const csv = last && (await directory.read(predictionsFile));
  const predictions = last && csv !== undefined ? parsePredictions(csv, testLabels, last.record.confusion) : undefined;
  const before = { steps: steps.kept, evaluations: evaluations.kept, digests: digests.kept };
  return new RunHistory({ before, predictions, checkpointStep });
}

function initialState({ initial, layout }: StoredJob, { slots }: StateLayout): TrainingState {
  const zero = slots.map((name) => ({ name, values: new Float32Array(layout.parameterCount) }));
  return { step: 0, ...initial, slots: zero };
}

/** Adds the steps after the checkpoint, which must be computed again; their time still counts. */
function addRepeated(previous: PreviousRun | undefined, records: RecordsSoFar): { steps: number; seconds: number } {
  const before = previous?.record.repeated ?? { steps: 0, seconds: 0 };
  const steps = before.steps + records.steps.dropped.length;
  return { steps, seconds: before.seconds + secondsOf(records, 'dropped') };
}

function secondsOf({ steps, evaluations }: RecordsSoFar, part: 'kept' | 'dropped'): number {
  const entries: readonly { readonly durationMs: number }[] = [...steps[part], ...evaluations[part]];
  return entries.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
}

function describeResume({ checkpoint, reason }: FoundCheckpoint, term: number, totalSteps: number): string {
  return `resumed at step ${checkpoint.state.step} of ${totalSteps} (start ${term} of this run; ${reason})`;
}

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { TrainingState } from '../../job/digest.js';
import {
  checkSameJob,
  engineOf,
  type FoundCheckpoint,
  findCheckpoint,
  type PreviousRun,
} from '../../run/previous-run.js';
import { type StateLayout, stateLayout } from '../../run/checkpoint/checkpoint-file.js';
import { Checkpoints } from './checkpoints.js';
import type { RunEngine } from '../membership/admission.js';
import type { JobManifest } from '../../job/manifest.js';
import type { RunEvents } from '../state/events.js';
import type { PreparedJob } from '../prepare-job.js';
import type { DigestEntry, EvaluationEntry, RunHistorySoFar } from '../../run/records.js';
import { RunHistory } from '../state/history.js';
import { listen } from '../state/subscribe.js';
import { parsePredictions, predictionsFile } from '../../run/predictions-csv.js';
import type { RecordsSoFar, RunDirectory } from '../../run/run-directory.js';
import { RunJson } from '../../run/run-json.js';
import type { ResumePoint } from '../stepping/trainer-setup.js';

/** A start of the coordinator on a run, new or gone on with. */
export interface RunStart {
  /** Counts the starts, from 1. */
  readonly term: number;
  /** Names the run over all its starts. */
  readonly runId: string;
  readonly runJson: RunJson;
  readonly checkpoints: Checkpoints;
  /** Where a run goes on that was under way before. */
  readonly resume: ResumePoint | undefined;
  /** What the run computed with before. */
  readonly engine: RunEngine | undefined;
  /** Of the whole run; grow while it is trained. */
  readonly evaluations: EvaluationEntry[];
  readonly digests: DigestEntry[];
  /** What the run did before this start, and what it does from now on, in bounded memory. */
  readonly history: RunHistory;
  /** Reads what was recorded before this start. */
  readonly before: () => Promise<RunHistorySoFar>;
  /** Settles when all is durable that a later start stands on. @throws JobError BAD_RUN_DIRECTORY */
  readonly durable: Promise<void>;
  /** Time of the starts before, spent in steps and evaluations, those included that have to be made again. */
  readonly secondsBefore: number;
}

export interface RunStartOptions {
  readonly directory: RunDirectory;
  readonly previous: PreviousRun | undefined;
  readonly job: PreparedJob;
  readonly events: RunEvents;
  /** Name for the run if it has none yet. */
  readonly runId?: string | undefined;
  /** A checkpoint could not be written. */
  readonly onError: (error: Error) => void;
}

/**
 * Begins a run in its directory, or goes on with the one that is there. What a later start stands on is being written
 * when it settles, as workers need not wait for that; steps must, for `durable`.
 * @throws JobError BAD_RUN_DIRECTORY when the directory holds another job's run, or one without a good checkpoint.
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
  // Whoever trains waits for it; it may be that nobody gets so far.
  durable.catch(() => undefined);
  const step = found?.checkpoint.state.step ?? 0;
  const history = await beginHistory(directory, records, job, step);
  listen(events, 'history', (event) => history.add(event, Date.now()), 'goes on');
  if (found) events.emit({ type: 'note', message: describeResume(found, term, plan.totalSteps) });
  const resume = found && { ...found.checkpoint, evaluation: evaluations.at(-1) };
  const secondsBefore = secondsOf(records, 'kept') + repeated.seconds;
  const digests = [...records.digests.kept];
  const begun = { term, runId, runJson, checkpoints, resume, engine, evaluations, digests, durable, secondsBefore };
  return { ...begun, history, before: () => directory.recordsUpTo(step) };
}

/** Writes the checkpoint of a new run, the term, and last of all `job.json`, which makes it a run. */
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
  { testLabels }: PreparedJob,
  checkpointStep: number,
): Promise<RunHistory> {
  const last = evaluations.kept.at(-1);
  const csv = last && (await directory.read(predictionsFile));
  const predictions = last && csv !== undefined ? parsePredictions(csv, testLabels, last.record.confusion) : undefined;
  const before = { steps: steps.kept, evaluations: evaluations.kept, digests: digests.kept };
  return new RunHistory({ before, predictions, checkpointStep });
}

function initialState({ initial, layout }: PreparedJob, { slots }: StateLayout): TrainingState {
  const zero = slots.map((name) => ({ name, values: new Float32Array(layout.parameterCount) }));
  return { step: 0, ...initial, slots: zero };
}

/** What was made after the checkpoint counts as time, but has to be made again. */
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
  return `going on after step ${checkpoint.state.step} of ${totalSteps} (start ${term} of this run; ${reason})`;
}

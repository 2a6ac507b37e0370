import type { Split } from '../data/dataset.js';
import type { Heartbeat, HistoryReply, StatusReply } from '../proto/messages.js';
import type { JoinStream } from '../transport/grpc-transport.js';
import type { LocalTransports } from '../transport/local/coordinator-end.js';
import type { PreviousRun } from './persistence/previous-run.js';
import { ClusterService } from './membership/cluster-service.js';
import { RunControl, type Scaler } from './control/control.js';
import type { CoordinatorOptions, RunView } from './coordinator.js';
import { type FetchCall, serveParts } from './membership/data-service.js';
import type { EngineClass } from '../run/engine-class.js';
import { EngineAdmission, type RunEngine } from './membership/admission.js';
import type { RunEvents } from './state/events.js';
import { keepRecords } from './persistence/recorder.js';
import { describeHistory } from './state/progress.js';
import { prepareJob, type PreparedJob } from './prepare-job.js';
import type { RunResult } from './persistence/results.js';
import { Roster } from './membership/roster.js';
import type { RunDirectory } from '../run/run-directory.js';
import { type RunStart, startRun } from './run-start.js';
import { describeStatus } from './control/status.js';
import type { Traffic } from './membership/traffic.js';
import { Trainer } from './stepping/trainer.js';

export interface RunOptions extends CoordinatorOptions {
  readonly directory: RunDirectory;
  readonly previous: PreviousRun | undefined;
  readonly events: RunEvents;
  readonly traffic: Traffic;
  readonly localTransports: LocalTransports;
  /** Ends the run after the step in progress. */
  readonly stop: (reason: string) => void;
  readonly scaler: () => Scaler | undefined;
  /** Bytes received so far on the connection from a peer, by its address and port. */
  readonly bytesFrom: (peer: string) => number;
}

/** The parts of a run that take part in training. */
interface Parts {
  readonly job: PreparedJob;
  readonly start: RunStart;
  readonly test: Split;
  readonly trainer: Trainer;
  readonly roster: Roster;
  readonly cluster: ClusterService;
  readonly admission: EngineAdmission;
  readonly control: RunControl;
}

/** What there is once the dataset is read and the job compiled: takes workers in, trains, and writes the results. */
export class Run {
  private constructor(
    private readonly options: RunOptions,
    private readonly parts: Parts,
  ) {}

  /** Reads the dataset, compiles the job and finds where it goes on. @throws JobError */
  static async prepare(options: RunOptions): Promise<Run> {
    const { spec, directory, previous, events, traffic, wantedWorkers, startLimitMs, heartbeatLimitMs, runId } =
      options;
    const dataset = await options.dataset();
    const job = await prepareJob(spec, dataset, options.readModel);
    for (const message of job.notes) events.emit({ type: 'note', message });
    const onError = (error: Error) => trainer.fail(error);
    const start = await startRun({ directory, previous, job, events, runId, onError });
    const { term, resume, checkpoints, runJson } = start;
    const roster = new Roster(heartbeatLimitMs, (session, error) => cluster.lost(session, error));
    const beforeFirstStep = (): Promise<boolean> => cluster.beforeFirstStep();
    const workers = { roster, wantedWorkers, startLimitMs, beforeFirstStep };
    const trainer: Trainer = new Trainer({ ...job, ...workers, term, events, resume, saver: checkpoints });
    const welcome = { jobJson: JSON.stringify(job.manifest), term, heartbeatMs: Math.floor(heartbeatLimitMs / 4) };
    const record = (run: RunEngine) => runJson.update(run);
    const admission = new EngineAdmission({ numerics: spec.numerics, fixed: start.engine, record });
    const { localTransports, bytesFrom } = options;
    const cluster = new ClusterService({
      ...{ roster, events, admission, traffic, localTransports, welcome, bytesFrom, onError },
      manifest: job.manifest,
      work: trainer.dispatcher,
    });
    const control = new RunControl({ trainer, stop: options.stop, scaler: options.scaler });
    return new Run(options, { job, start, test: dataset.test, trainer, roster, cluster, admission, control });
  }

  join(stream: JoinStream): void {
    this.parts.cluster.join(stream);
  }

  /** Records a heartbeat. @returns true if its worker has joined. @throws ClusterError */
  heard(heartbeat: Heartbeat): boolean {
    return this.parts.cluster.heard(heartbeat);
  }

  fetch(call: FetchCall): void {
    serveParts(this.parts.job.parts, this.options.traffic)(call);
  }

  /** Settles when all is on disk that a later start stands on. @throws JobError BAD_RUN_DIRECTORY */
  get durable(): Promise<void> {
    return this.parts.start.durable;
  }

  get control(): RunControl {
    return this.parts.control;
  }

  get view(): RunView {
    const { job, start, test } = this.parts;
    const { manifest, plan } = job;
    const { term, runId, history, before } = start;
    return { manifest, plan, test, runId, term, path: this.options.runDirectory, history, before };
  }

  status(): StatusReply {
    const { job, start, ...parts } = this.parts;
    const path = this.options.runDirectory;
    const { term, history } = start;
    return describeStatus({ ...job, ...parts, term, history, path }, performance.now());
  }

  history(points?: number): HistoryReply {
    return describeHistory(this.parts.start.history, points);
  }

  /**
   * Trains to the end, or until it is stopped, and writes the results. No step is made before all is durable that a
   * later start stands on; workers join and compile meanwhile.
   * @param stopReason - why it was stopped, if it was.
   */
  async train(stopReason: () => string | undefined): Promise<RunResult> {
    const { job, start, trainer, cluster, admission } = this.parts;
    const { events, directory } = this.options;
    const timer = keepRecords(events, directory, start, job.testLabels);
    directory.failed.catch((error: Error) => trainer.fail(error));
    await this.durable;
    const training = await trainer.run();
    const seconds = start.secondsBefore + timer.seconds();
    events.emit({ type: 'state', state: 'reporting', reason: 'writing model and report' });
    cluster.close('the job is over');
    await start.checkpoints.save(training.snapshot, training.chain);
    job.parts.clear();
    const { writeResults } = await import('./persistence/results.js');
    const result = await writeResults(directory, job, training, {
      engine: admission.run?.engine ?? noEngine,
      reproducible: admission.run?.reproducible ?? true,
      counts: trainer.counts,
      seconds,
      evaluations: start.evaluations.map(({ record }) => record),
      digests: start.digests,
    });
    await start.runJson.update(describeResult(result));
    events.emit({ type: 'state', state: training.outcome, reason: stopReason() ?? 'all steps are done' });
    return result;
  }

  stop(reason: string): void {
    this.parts.trainer.stop(reason);
  }

  fail(error: Error): void {
    this.parts.trainer.fail(error);
  }

  /** Records the run's failure and its reason. A later start may still resume the run. */
  async recordFailure({ message }: Error): Promise<void> {
    await this.parts.start.runJson.update({ outcome: 'failed', failure: message.slice(0, 2_000) });
  }

  /** Ends every session after a failure of ours: workers wait for a coordinator that goes on with the run. */
  abandon(error: Error): void {
    this.parts.cluster.abandon(error);
  }

  /** Sends every worker home. */
  leave(): void {
    this.parts.cluster.close('the job is over');
    this.parts.roster.close();
  }

  /** Ends the threads; what is being written is written first. */
  async close(): Promise<void> {
    const { start, trainer } = this.parts;
    await this.durable.catch(() => undefined);
    await start.checkpoints.close();
    await trainer.close();
  }
}

/** The engine of a run that was stopped before any worker was ready. */
const noEngine: EngineClass = { name: 'none', version: '', device: '', lowering: '', threads: 0, fingerprint: '' };

/** What `run.json` says of how a run went. */
function describeResult({ input, outcome }: RunResult): object {
  const last = input.evaluations.at(-1);
  return {
    outcome,
    engine: input.engine,
    reproducible: input.reproducible,
    workers: input.workers,
    seconds: input.seconds,
    steps: input.steps.length,
    finalDigest: input.finalDigest,
    ...input.counts,
    test: last && { epoch: last.epoch, loss: last.loss, correct: last.correct, total: last.total },
  };
}

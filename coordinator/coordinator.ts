import type { EventEmitter } from 'node:events';
import type { Dataset, Split } from '../job/data/dataset.js';
import type { JobManifest } from '../job/manifest.js';
import type { StepPlan } from '../job/plan.js';
import type { JobSpec } from '../job/spec.js';
import { ClusterError, toStatus } from '../proto/errors.js';
import type { HistoryReply, StatusReply } from '../proto/messages.js';
import { type PreviousRun, readPreviousRun } from './begin-run.js';
import type { Checkpoints } from './checkpoints.js';
import { ClusterService } from './cluster-service.js';
import { RunControl, type Scaler } from './control.js';
import { controlHandlers } from './control-service.js';
import { type FetchCall, serveParts } from './data-service.js';
import type { EngineClass } from './engine-class.js';
import { EngineDoor, type RunEngine } from './engine-door.js';
import { RunEvents } from './events.js';
import { keepRecords } from './keep-records.js';
import { decideListen, formatEndpoint, type ListenOptions } from './listen.js';
import type { RunHistory } from './observe/history.js';
import { describeHistory } from './observe/progress.js';
import { StatusFeed } from './observe/status-feed.js';
import { type ModelReader, prepareJob, type PreparedJob } from './prepare-job.js';
import { type RunResult, writeResults } from './results.js';
import { Roster } from './roster.js';
import type { JoinStream } from './session.js';
import type { RunHistorySoFar } from './records.js';
import { RunDirectory } from './run-directory.js';
import { type RunStart, startRun } from './run-start.js';
import { ClusterServer } from './server.js';
import { describeStatus } from './status.js';
import { Traffic } from './traffic.js';
import { Trainer } from './trainer.js';

export interface CoordinatorOptions extends ListenOptions {
  readonly spec: JobSpec;
  /** Reads the dataset; called once the coordinator listens. */
  readonly dataset: () => Promise<Dataset>;
  /** Reads the model where the spec names a file; without it, only built-in ones and topologies are known. */
  readonly readModel?: ModelReader | undefined;
  readonly runDirectory: string;
  /** Name for the run if it has none yet; else one is made up. */
  readonly runId?: string | undefined;
  /** Workers that the first step waits for, and for how long. */
  readonly wantedWorkers: number;
  readonly startLimitMs: number;
  /** A worker that is silent for longer is lost. */
  readonly heartbeatLimitMs: number;
}

/** What there is once the dataset is read and the job compiled. */
interface Running {
  readonly job: PreparedJob;
  readonly start: RunStart;
  readonly test: Split;
  readonly trainer: Trainer;
  readonly roster: Roster;
  readonly cluster: ClusterService;
  readonly door: EngineDoor;
  readonly control: RunControl;
}

/** What those who look on know of a run once it is prepared: the page, metrics, programs elsewhere. */
export interface RunView {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  /** The test set, whose images are shown. */
  readonly test: Split;
  /** Names the run over all its starts. */
  readonly runId: string;
  /** Counts the coordinator's starts on this run, from 1. */
  readonly term: number;
  /** The run directory. */
  readonly path: string;
  /** Reads what was recorded before this start, which may be long. */
  readonly before: () => Promise<RunHistorySoFar>;
  /** What the run has done, this start and those before; goes on while it runs. */
  readonly history: RunHistory;
}

const shutdownLimitMs = 2_000;

/**
 * A coordinator: listens, compiles the job, trains it with whatever workers come, and leaves the results in the run
 * directory. Where that holds the same job's run already, it goes on from the newest checkpoint. Workers may join as
 * soon as it listens; they are answered when the job is compiled.
 */
export class Coordinator {
  readonly events = new RunEvents();
  readonly traffic = new Traffic();
  readonly #server: ClusterServer;
  #running: Promise<Running>;
  #stopReason: string | undefined;
  #directory: RunDirectory | undefined;
  #previous: PreviousRun | undefined;
  #scaler: Scaler | undefined;
  readonly #feed = new StatusFeed(() => this.status());
  #begin!: () => void;
  /** Rejects when the run is stopped; looked at only while the job is not prepared. */
  readonly #stopped: Promise<never>;
  #stopEarly!: (error: ClusterError) => void;

  constructor(private readonly options: CoordinatorOptions) {
    this.#stopped = new Promise((_, reject) => (this.#stopEarly = reject));
    this.#stopped.catch(() => undefined);
    const begun = new Promise<void>((resolve) => (this.#begin = resolve));
    this.#running = begun.then(() => this.#prepare());
    this.#running.catch(() => undefined);
    const whenRunning =
      <Call extends EventEmitter>(handle: (running: Running, call: Call) => void) =>
      (call: Call) =>
        void this.#running.then(
          (running) => handle(running, call),
          (error: Error) =>
            call.emit('error', toStatus(new ClusterError('STOPPED', `the job cannot start: ${error.message}`))),
        );
    const join = whenRunning<JoinStream>(({ cluster }, stream) => cluster.join(stream));
    const fetch = whenRunning<FetchCall>(({ job }, call) => serveParts(job.parts, this.traffic)(call));
    const control = controlHandlers({
      status: () => this.status(),
      history: (points) => this.history(points),
      control: () => this.control(),
      watch: (call) => this.#feed.serve(call),
    });
    this.#server = new ClusterServer({ cluster: { Join: join }, data: { Fetch: fetch }, control }, options);
  }

  /** Listens and takes hold of the run directory. @returns the address that workers join. */
  async start(): Promise<string> {
    const address = formatEndpoint(await this.#server.listen(decideListen(this.options)));
    try {
      const onWaiting = (message: string) => this.events.emit({ type: 'note', message });
      this.#directory = await RunDirectory.open(this.options.runDirectory, onWaiting);
      this.#previous = await readPreviousRun(this.#directory);
    } catch (error) {
      await this.#directory?.close();
      await this.#server.close(0);
      throw error;
    }
    this.events.emit({ type: 'listening', address });
    this.#begin();
    return address;
  }

  /** Trains to the end, or until `stop`, and writes the results. Everything is closed when it settles. */
  async run(): Promise<RunResult> {
    const directory = this.#directory!;
    let running: Running | undefined;
    try {
      running = await Promise.race([this.#running, this.#stopped]);
      return await this.#train(directory, running);
    } catch (error) {
      this.events.emit({ type: 'state', state: 'failed', reason: (error as Error).message });
      running?.cluster.abandon(error as Error);
      throw error;
    } finally {
      running?.cluster.close('the job is over');
      running?.roster.close();
      await this.#feed.close();
      await this.#server.close(shutdownLimitMs);
      await running?.start.checkpoints.close();
      await running?.trainer.close();
      await directory.close();
    }
  }

  /** Ends the run after the step in progress; the results so far are written. */
  stop(reason: string): void {
    this.#stopReason ??= reason;
    this.#stopEarly(new ClusterError('STOPPED', `${reason}: stopped before the first step`));
    void this.#running.then(({ trainer }) => trainer.stop(reason)).catch(() => undefined);
  }

  /** Ends the run with an error, such as the loss of all local workers. */
  fail(error: Error): void {
    void this.#running.then(({ trainer }) => trainer.fail(error)).catch(() => undefined);
  }

  /** Settles when the job is prepared. @throws when it cannot be. */
  async view(): Promise<RunView> {
    const { job, start, test } = await this.#running;
    const { manifest, plan } = job;
    const { term, runId, history, before } = start;
    return { manifest, plan, test, runId, term, path: this.options.runDirectory, history, before };
  }

  /** Settles when the job is prepared. @throws when it cannot be. */
  async control(): Promise<RunControl> {
    return (await this.#running).control;
  }

  /** Says who starts and drains workers on demand. */
  scaleBy(scaler: Scaler): void {
    this.#scaler = scaler;
  }

  /** Settles when the job is prepared. @throws when it cannot be. */
  async status(): Promise<StatusReply> {
    const { job, start, ...running } = await this.#running;
    const path = this.options.runDirectory;
    const { term, history } = start;
    return describeStatus({ ...job, ...running, term, history, path }, performance.now());
  }

  /** The run so far, thinned to `points` or fewer. Settles when the job is prepared. @throws when it cannot be. */
  async history(points?: number): Promise<HistoryReply> {
    return describeHistory((await this.#running).start.history, points);
  }

  async #prepare(): Promise<Running> {
    const { spec, wantedWorkers, startLimitMs, heartbeatLimitMs } = this.options;
    const dataset = await this.options.dataset();
    const job = await prepareJob(spec, dataset, this.options.readModel);
    const { events, traffic } = this;
    const start = await startRun({
      directory: this.#directory!,
      previous: this.#previous,
      job,
      events,
      runId: this.options.runId,
      onError: (error) => trainer.fail(error),
    });
    const { term, resume, checkpoints, runJson } = start;
    const roster = new Roster(heartbeatLimitMs, (session, error) => cluster.lost(session, error));
    const beforeFirstStep = (): Promise<boolean> => cluster.beforeFirstStep();
    const atBorder: Checkpoints['atBorder'] = (at, copy) => checkpoints.atBorder(at, copy);
    const saveNow: Checkpoints['saveNow'] = (at, copy) => checkpoints.saveNow(at, copy);
    const hooks = { beforeFirstStep, atBorder, saveNow, lastCheckpoint: () => checkpoints.lastPath };
    const trainer: Trainer = new Trainer({
      ...job,
      term,
      roster,
      events,
      wantedWorkers,
      startLimitMs,
      resume,
      ...hooks,
    });
    const welcome = { jobJson: JSON.stringify(job.manifest), term, heartbeatMs: Math.floor(heartbeatLimitMs / 4) };
    const record = (run: RunEngine) => runJson.update(run);
    const door = new EngineDoor({ numerics: spec.numerics, fixed: start.engine, record });
    const cluster = new ClusterService({ roster, trainer, events, door, manifest: job.manifest, traffic, welcome });
    const stop = (reason: string) => this.stop(reason);
    const control = new RunControl({ trainer, stop, scaler: () => this.#scaler });
    return { job, start, test: dataset.test, trainer, roster, cluster, door, control };
  }

  async #train(directory: RunDirectory, running: Running): Promise<RunResult> {
    const { job, start, trainer, cluster, door } = running;
    const timer = keepRecords(this.events, directory, start, job.testLabels);
    directory.failed.catch((error: Error) => trainer.fail(error));
    const training = await trainer.run();
    const seconds = start.secondsBefore + timer.seconds();
    this.events.emit({ type: 'state', state: 'reporting', reason: 'writing model and report' });
    cluster.close('the job is over');
    await start.checkpoints.save(training.snapshot, training.chain);
    job.parts.clear();
    const result = await writeResults(directory, job, training, {
      engine: door.run?.engine ?? noEngine,
      reproducible: door.run?.reproducible ?? true,
      counts: trainer.counts,
      seconds,
      evaluations: start.evaluations.map(({ record }) => record),
      digests: start.digests,
    });
    await start.runJson.update(describeResult(result));
    this.events.emit({ type: 'state', state: training.outcome, reason: this.#stopReason ?? 'all steps are done' });
    return result;
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

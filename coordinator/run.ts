import type { Dataset, Split } from '../data/dataset.js';
import type { JobSpec } from '../job/spec.js';
import type { Heartbeat, HistoryReply, StatusReply } from '../proto/messages.js';
import type { PreviousRun } from '../run/previous-run.js';
import type { RunDirectory } from '../run/run-directory.js';
import type { RunEngine } from '../run/run-json.js';
import type { JoinStream } from '../transport/grpc-transport.js';
import type { LocalTransports } from '../transport/local/coordinator-end.js';
import { RunControl, type Scaler } from './control/control.js';
import { describeStatus } from './control/status.js';
import { EngineAdmission } from './membership/admission.js';
import { ClusterService } from './membership/cluster-service.js';
import { type FetchCall, serveChunks } from './membership/data-service.js';
import { Roster } from './membership/roster.js';
import type { Traffic } from './membership/traffic.js';
import { keepRecords } from './persistence/recorder.js';
import type { RunResult } from './persistence/results.js';
import { type RunStart, startRun } from './persistence/start-run.js';
import { type ModelReader, prepareJob, type PreparedJob } from './prepare-job.js';
import type { RunEvents } from './state/events.js';
import { describeHistory } from './state/progress.js';
import type { RunView } from './state/run-view.js';
import { Trainer } from './stepping/trainer.js';

/** A job and the conditions under which it runs. */
export interface JobOptions {
  readonly spec: JobSpec;
  /** Reads the dataset; called once the coordinator listens. */
  readonly dataset: () => Promise<Dataset>;
  /** Reads the model file that the spec names; without it, only built-in models and topologies are accepted. */
  readonly readModel?: ModelReader | undefined;
  readonly runDirectory: string;
  /** Id for a new run; default: a random one. */
  readonly runId?: string | undefined;
  /** Workers that the first step waits for, and for how long. */
  readonly wantedWorkers: number;
  readonly startLimitMs: number;
  /** A worker that is silent for longer is lost. */
  readonly heartbeatLimitMs: number;
}

export interface RunOptions extends JobOptions {
  readonly directory: RunDirectory;
  readonly previous: PreviousRun | undefined;
  readonly events: RunEvents;
  readonly traffic: Traffic;
  readonly localTransports: LocalTransports;
  /** Stops the run after the current step. */
  readonly stop: (reason: string) => void;
  readonly scaler: () => Scaler | undefined;
  /** Bytes received so far on the connection from a peer, by its address and port. */
  readonly bytesFrom: (peer: string) => number;
}

/** Components of a run. */
interface Components {
  readonly job: PreparedJob;
  readonly start: RunStart;
  readonly test: Split;
  readonly trainer: Trainer;
  readonly roster: Roster;
  readonly cluster: ClusterService;
  readonly admission: EngineAdmission;
  readonly control: RunControl;
}

/** A run whose dataset is read and whose job is compiled: admits workers, trains, and writes the results. */
export class Run {
  private constructor(
    private readonly options: RunOptions,
    private readonly components: Components,
  ) {}

  /** Reads the dataset, compiles the job, and creates or resumes its run. @throws JobError */
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
    this.components.cluster.join(stream);
  }

  /** Records a heartbeat. @returns true if its worker has joined. @throws ClusterError */
  heard(heartbeat: Heartbeat): boolean {
    return this.components.cluster.heard(heartbeat);
  }

  fetch(call: FetchCall): void {
    serveChunks(this.components.job.chunks, this.options.traffic)(call);
  }

  /** Resolves once everything that a later start needs is on disk. @throws JobError BAD_RUN_DIRECTORY */
  get durable(): Promise<void> {
    return this.components.start.durable;
  }

  get control(): RunControl {
    return this.components.control;
  }

  get view(): RunView {
    const { job, start, test } = this.components;
    const { manifest, plan } = job;
    const { term, runId, history, before } = start;
    const trainShard = (shard: number) => shardOf(job, shard);
    return { manifest, plan, test, trainShard, runId, term, path: this.options.runDirectory, history, before };
  }

  status(): StatusReply {
    const { job, start, ...others } = this.components;
    const path = this.options.runDirectory;
    const { term, history } = start;
    return describeStatus({ ...job, ...others, term, history, path }, performance.now());
  }

  history(points?: number): HistoryReply {
    return describeHistory(this.components.start.history, points);
  }

  /**
   * Trains until the last step or until stopped, and writes the results. The first step waits until everything that a
   * later start needs is durable; workers join and compile meanwhile.
   * @param stopReason - reason of the stop; undefined if it was not stopped.
   */
  async train(stopReason: () => string | undefined): Promise<RunResult> {
    const { job, start, trainer, cluster, admission } = this.components;
    const { events, directory } = this.options;
    const timer = keepRecords(events, directory, start, job.testLabels);
    directory.failed.catch((error: Error) => trainer.fail(error));
    await this.durable;
    const training = await trainer.run();
    const seconds = start.secondsBefore + timer.seconds();
    events.emit({ type: 'state', state: 'reporting', reason: 'writing model and report' });
    cluster.close('the job is over');
    await start.checkpoints.save(training.snapshot, training.chain);
    const { prepareShardTask } = await import('../run/verify/shard-task.js');
    const verify = await prepareShardTask({ ...this.view, committed: training.snapshot.step });
    job.chunks.clear();
    const { writeResults } = await import('./persistence/results.js');
    const result = await writeResults(directory, job, training, {
      ...(admission.run ?? noRun),
      counts: trainer.counts,
      verify,
      seconds,
      evaluations: start.evaluations.map(({ record }) => record),
      digests: start.digests,
    });
    await start.runJson.update(describeResult(result));
    events.emit({ type: 'state', state: training.outcome, reason: stopReason() ?? 'all steps are done' });
    return result;
  }

  stop(reason: string): void {
    this.components.trainer.stop(reason);
  }

  fail(error: Error): void {
    this.components.trainer.fail(error);
  }

  /** Records the run's failure and its reason. A later start may still resume the run. */
  async recordFailure({ message }: Error): Promise<void> {
    await this.components.start.runJson.update({ outcome: 'failed', failure: message.slice(0, 2_000) });
  }

  /** Ends every session after a failure of the coordinator; workers then wait for one that resumes the run. */
  abandon(error: Error): void {
    this.components.cluster.abandon(error);
  }

  /** Ends the sessions of all workers, because the job is over. */
  leave(): void {
    this.components.cluster.close('the job is over');
    this.components.roster.close();
  }

  /** Ends the threads once pending writes are complete. */
  async close(): Promise<void> {
    const { start, trainer } = this.components;
    await this.durable.catch(() => undefined);
    await start.checkpoints.close();
    await trainer.close();
  }
}

/** Data of a training shard; undefined once the chunks are cleared. */
function shardOf({ chunks, manifest }: PreparedJob, shard: number): Split | undefined {
  const [labels, images] = chunks.get(manifest.shards[shard]!.digest) ?? [];
  return labels && images && { count: labels.length, labels, images };
}

/** Engine of a run that was stopped before any worker was ready. */
const noRun: RunEngine = {
  engine: { name: 'none', version: '', device: '', lowering: '', threads: 0, fingerprint: '' },
  reproducible: true,
  targets: [],
};

/** The result as `run.json` records it. */
function describeResult({ input, outcome }: RunResult): object {
  const last = input.evaluations.at(-1);
  return {
    outcome,
    engine: input.engine,
    reproducible: input.reproducible,
    targets: input.targets,
    workers: input.workers,
    seconds: input.seconds,
    steps: input.steps.length,
    finalDigest: input.finalDigest,
    ...input.counts,
    test: last && { epoch: last.epoch, loss: last.loss, correct: last.correct, total: last.total },
  };
}

import type { EventEmitter } from 'node:events';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import type { EngineInfo } from '../engine/engine.js';
import type { Dataset } from '../job/data/dataset.js';
import type { JobSpec } from '../job/spec.js';
import { ClusterError, toStatus } from '../proto/errors.js';
import type { Ready, StatusReply } from '../proto/messages.js';
import { ClusterService } from './cluster-service.js';
import { type FetchCall, serveParts } from './data-service.js';
import { RunEvents } from './events.js';
import { decideListen, formatEndpoint, type ListenOptions } from './listen.js';
import { prepareJob, type PreparedJob } from './prepare-job.js';
import type { EvaluationRecord } from './records.js';
import { type RunResult, writeCheckpoint, writeResults } from './results.js';
import { Roster } from './roster.js';
import type { JoinStream } from './session.js';
import { RunDirectory } from './run-directory.js';
import { ClusterServer } from './server.js';
import { describeStatus } from './status.js';
import { Trainer } from './trainer.js';

export interface CoordinatorOptions extends ListenOptions {
  readonly spec: JobSpec;
  /** Reads the dataset; called once the coordinator listens. */
  readonly dataset: () => Promise<Dataset>;
  readonly runDirectory: string;
  /** Workers that the first step waits for, and for how long. */
  readonly wantedWorkers: number;
  readonly startLimitMs: number;
  /** A worker that is silent for longer is lost. */
  readonly heartbeatLimitMs: number;
}

/** What there is once the dataset is read and the job compiled. */
interface Running {
  readonly job: PreparedJob;
  readonly trainer: Trainer;
  readonly roster: Roster;
  readonly cluster: ClusterService;
}

/** Counts the coordinator's starts on one run; a coordinator that goes on with a run will raise it. */
const term = 1;
const shutdownLimitMs = 2_000;

/**
 * A coordinator: listens, compiles the job, trains it with whatever workers come, and leaves the results in the run
 * directory. Workers may join as soon as it listens; they are answered when the job is compiled.
 */
export class Coordinator {
  readonly events = new RunEvents();
  readonly #server: ClusterServer;
  #running: Promise<Running>;
  #stopReason: string | undefined;
  #directory: RunDirectory | undefined;
  readonly #evaluations: EvaluationRecord[] = [];
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
    const fetch = whenRunning<FetchCall>(({ job }, call) => serveParts(job.parts)(call));
    const status = (_: ServerUnaryCall<object, StatusReply>, reply: sendUnaryData<StatusReply>) =>
      void this.status()
        .then((found) => reply(null, found))
        .catch(reply);
    this.#server = new ClusterServer(
      { cluster: { Join: join }, data: { Fetch: fetch }, control: { Status: status } },
      options.token,
    );
  }

  /** Listens and makes the run directory. @returns the address that workers join. */
  async start(): Promise<string> {
    const address = formatEndpoint(await this.#server.listen(decideListen(this.options)));
    try {
      this.#directory = await RunDirectory.create(this.options.runDirectory);
    } catch (error) {
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
      throw error;
    } finally {
      running?.cluster.close('the job is over');
      running?.roster.close();
      await this.#server.close(shutdownLimitMs);
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

  async status(): Promise<StatusReply> {
    const { job, trainer, roster } = await this.#running;
    return describeStatus({ ...job, term }, trainer, roster, performance.now());
  }

  async #prepare(): Promise<Running> {
    const { spec, dataset, wantedWorkers, startLimitMs, heartbeatLimitMs } = this.options;
    const job = await prepareJob(spec, await dataset());
    await this.#directory!.writeJson('job.json', job.manifest);
    const { events } = this;
    const roster = new Roster(heartbeatLimitMs, (session, error) => cluster.lost(session, error));
    const trainer = new Trainer({ ...job, term, roster, events, wantedWorkers, startLimitMs });
    const welcome = { jobJson: JSON.stringify(job.manifest), term, heartbeatMs: Math.floor(heartbeatLimitMs / 4) };
    const cluster = new ClusterService({ roster, trainer, events, welcome });
    return { job, trainer, roster, cluster };
  }

  async #train(directory: RunDirectory, { job, trainer, cluster }: Running): Promise<RunResult> {
    let begin: number | undefined;
    const workers = new Set<string>();
    this.events.subscribe((event) => {
      if (event.type === 'step') directory.addStep(event.record);
      if (event.type === 'epoch') directory.addDigest({ epoch: event.epoch, step: event.step, digest: event.digest });
      if (event.type === 'evaluation') this.#evaluations.push(event.record);
      if (event.type === 'state' && event.state === 'training') begin ??= performance.now();
      if (event.type === 'assignment') for (const id of Object.keys(event.shards)) workers.add(id);
    });
    directory.failed.catch((error: Error) => trainer.fail(error));
    const initial = { step: 0, params: job.initial.params, slots: [], state: job.initial.state };
    await writeCheckpoint(directory, job, initial);
    const training = await trainer.run();
    const seconds = begin === undefined ? 0 : (performance.now() - begin) / 1000;
    cluster.close('the job is over');
    job.parts.clear();
    this.events.emit({ type: 'state', state: 'reporting', reason: 'writing model and report' });
    const result = await writeResults(directory, job, training, {
      engine: engineInfo(cluster.engine),
      workers: workers.size,
      seconds,
      evaluations: this.#evaluations,
    });
    await writeCheckpoint(directory, job, training.snapshot);
    await directory.writeJson('run.json', describeRun(result));
    this.events.emit({ type: 'state', state: training.outcome, reason: this.#stopReason ?? 'all steps are done' });
    return result;
  }
}

/** The engine in the report's words; before any worker was ready there is none. */
function engineInfo(ready: Ready | undefined): EngineInfo {
  if (!ready) return { name: 'none', version: '', device: '', lowering: '', threads: 0 };
  const { engine: name, engineVersion: version, device, lowering, threads } = ready;
  return { name, version, device, lowering, threads };
}

/** What `run.json` says of a run. */
function describeRun({ input, outcome }: RunResult): object {
  const last = input.evaluations.at(-1);
  return {
    outcome,
    job: input.jobDigest,
    dataset: input.dataset,
    engine: input.engine,
    coordinator: { node: process.version, platform: process.platform, arch: process.arch },
    workers: input.workers,
    seconds: input.seconds,
    steps: input.steps.length,
    finalDigest: input.finalDigest,
    test: last && { epoch: last.epoch, loss: last.loss, correct: last.correct, total: last.total },
  };
}

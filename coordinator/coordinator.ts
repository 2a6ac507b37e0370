import type { EventEmitter } from 'node:events';
import type { Dataset, Split } from '../data/dataset.js';
import type { JobManifest } from '../job/manifest.js';
import type { StepPlan } from '../job/plan.js';
import type { JobSpec } from '../job/spec.js';
import { ClusterError, toStatus } from '../proto/errors.js';
import type { HistoryReply, StatusReply } from '../proto/messages.js';
import { reportDropped } from '../transport/admission/report-dropped.js';
import type { JoinStream } from '../transport/grpc-transport.js';
import { LocalTransports } from '../transport/local/coordinator-end.js';
import { type BeatStream, serveBeats } from './membership/beat-service.js';
import { type PreviousRun, readPreviousRun } from './persistence/previous-run.js';
import type { RunControl, Scaler } from './control/control.js';
import { controlHandlers } from './control/control-service.js';
import type { FetchCall } from './membership/data-service.js';
import { RunEvents } from './state/events.js';
import { awaitHello } from './membership/hello.js';
import { decideListen, formatEndpoint, type ListenOptions } from './membership/listen.js';
import type { RunHistory } from './state/history.js';
import { StatusFeed } from './control/status-feed.js';
import type { ModelReader } from './prepare-job.js';
import type { RunHistorySoFar } from '../run/records.js';
import type { RunResult } from './persistence/results.js';
import type { Run } from './run.js';
import { RunDirectory } from '../run/run-directory.js';
import { ClusterServer } from './membership/server.js';
import { Traffic } from './membership/traffic.js';

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
 * soon as it listens; they are answered when the job is compiled. Until it listens little is loaded, as workers that are
 * started then load their own modules meanwhile; all that makes a run is in `run.ts`.
 */
export class Coordinator {
  readonly events = new RunEvents();
  readonly traffic = new Traffic();
  /** Used by the worker processes that this process starts. */
  readonly localTransports = new LocalTransports();
  readonly #server: ClusterServer;
  readonly #run: Promise<Run>;
  /** The run, once the job is prepared. */
  #current: Run | undefined;
  #stopReason: string | undefined;
  #directory: RunDirectory | undefined;
  #previous: PreviousRun | undefined;
  #scaler: Scaler | undefined;
  #endReports: () => void = () => undefined;
  readonly #feed = new StatusFeed(() => this.status());
  #begin!: () => void;
  /** As `#run`, but rejects when the run is stopped while the job is being prepared: a model's module may never end. */
  readonly #prepared: Promise<Run>;
  #stopEarly!: (error: ClusterError) => void;

  constructor(private readonly options: CoordinatorOptions) {
    const stopped = new Promise<never>((_, reject) => (this.#stopEarly = reject));
    const begun = new Promise<void>((resolve) => (this.#begin = resolve));
    this.#run = begun.then(() => this.#prepare());
    this.#run.catch(() => undefined);
    this.#prepared = Promise.race([this.#run, stopped]);
    this.#prepared.catch(() => undefined);
    const whenPrepared =
      <Call extends EventEmitter>(handle: (run: Run, call: Call) => void) =>
      (call: Call) =>
        void this.#prepared.then(
          (run) => handle(run, call),
          (error: Error) =>
            call.emit('error', toStatus(new ClusterError('STOPPED', `the job cannot start: ${error.message}`))),
        );
    const serveJoin = whenPrepared<JoinStream>((run, stream) => run.join(stream));
    const join = (stream: JoinStream) => awaitHello(stream, serveJoin);
    const fetch = whenPrepared<FetchCall>((run, call) => run.fetch(call));
    const beat = (stream: BeatStream) => serveBeats(stream, (heartbeat) => this.#current?.heard(heartbeat) ?? false);
    const control = controlHandlers({
      status: () => this.status(),
      history: (points) => this.history(points),
      control: () => this.control(),
      watch: (call) => this.#feed.serve(call),
    });
    this.#server = new ClusterServer({ cluster: { Join: join, Beat: beat }, data: { Fetch: fetch }, control }, options);
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
    const note = (message: string) => this.events.emit({ type: 'note', message });
    this.#endReports = reportDropped('--listen', () => this.#server.dropped, note);
    this.#begin();
    return address;
  }

  /** Trains to the end, or until `stop`, and writes the results. Everything is closed when it settles. */
  async run(): Promise<RunResult> {
    const directory = this.#directory!;
    let run: Run | undefined;
    try {
      run = await this.#prepared;
      return await run.train(() => this.#stopReason);
    } catch (error) {
      this.events.emit({ type: 'state', state: 'failed', reason: (error as Error).message });
      run?.abandon(error as Error);
      // Other errors may concern the directory itself, such as another process having taken it over.
      if (error instanceof ClusterError) await run?.recordFailure(error).catch(() => undefined);
      throw error;
    } finally {
      run?.leave();
      this.#endReports();
      await this.#feed.close();
      await this.#server.close(shutdownLimitMs);
      await run?.close();
      await directory.close();
    }
  }

  /** Ends the run after the step in progress; the results so far are written. */
  stop(reason: string): void {
    this.#stopReason ??= reason;
    this.#stopEarly(new ClusterError('STOPPED', `${reason}: stopped before the first step`));
    void this.#run.then((run) => run.stop(reason)).catch(() => undefined);
  }

  /** Ends the run with an error, such as the loss of all local workers. */
  fail(error: Error): void {
    void this.#run.then((run) => run.fail(error)).catch(() => undefined);
  }

  /** Settles when the job is prepared and the run on disk. @throws when it cannot be. */
  async view(): Promise<RunView> {
    return (await this.#durableRun()).view;
  }

  /** Settles when the job is prepared. @throws when it cannot be. */
  async control(): Promise<RunControl> {
    return (await this.#prepared).control;
  }

  /** Says who starts and drains workers on demand. */
  scaleBy(scaler: Scaler): void {
    this.#scaler = scaler;
  }

  /** Settles when the job is prepared and the run on disk, so that nobody hears of a state before its log does. */
  async status(): Promise<StatusReply> {
    return (await this.#durableRun()).status();
  }

  /** The run so far, thinned to `points` or fewer. Settles when the job is prepared. @throws when it cannot be. */
  async history(points?: number): Promise<HistoryReply> {
    return (await this.#prepared).history(points);
  }

  async #durableRun(): Promise<Run> {
    const run = await this.#prepared;
    await run.durable;
    return run;
  }

  async #prepare(): Promise<Run> {
    const { Run } = await import('./run.js');
    return (this.#current = await Run.prepare({
      ...this.options,
      directory: this.#directory!,
      previous: this.#previous,
      events: this.events,
      traffic: this.traffic,
      localTransports: this.localTransports,
      stop: (reason) => this.stop(reason),
      scaler: () => this.#scaler,
      bytesFrom: (peer) => this.#server.bytesFrom(peer),
    }));
  }
}

import type { EventEmitter } from 'node:events';
import { ClusterError, toStatus } from '../proto/errors.js';
import type { HistoryReply, StatusReply } from '../proto/messages.js';
import { checkArithmetic, type PreviousRun, readPreviousRun } from '../run/previous-run.js';
import { RunDirectory } from '../run/run-directory.js';
import { reportDropped } from '../transport/admission/report-dropped.js';
import type { JoinStream } from '../transport/grpc-transport.js';
import { decideListen, formatEndpoint, type ListenOptions } from '../transport/listen.js';
import { LocalTransports } from '../transport/local/coordinator-end.js';
import type { RunControl, Scaler } from './control/control.js';
import { controlHandlers } from './control/control-service.js';
import type { ControlledRun } from './control/controlled-run.js';
import { StatusFeed } from './control/status-feed.js';
import { type BeatStream, serveBeats } from './membership/beat-service.js';
import type { FetchCall } from './membership/data-service.js';
import { awaitHello } from './membership/hello.js';
import { ClusterServer } from './membership/server.js';
import { Traffic } from './membership/traffic.js';
import type { RunResult } from './persistence/results.js';
import type { JobOptions, Run } from './run.js';
import { RunEvents } from './state/events.js';
import type { RunView } from './state/run-view.js';

export interface CoordinatorOptions extends ListenOptions, JobOptions {}

const shutdownLimitMs = 2_000;

/**
 * A coordinator: listens, compiles the job, trains it with the workers that join, and writes the results to the run
 * directory. If the directory holds a run of the same job, it resumes from the newest checkpoint.
 *
 * Workers may join as soon as it listens; they get a reply once the job is compiled. It loads few modules before it
 * listens, because workers started at the same time are loading theirs; `run.ts` loads the rest.
 */
export class Coordinator implements ControlledRun {
  readonly events = new RunEvents();
  readonly traffic = new Traffic();
  /** Used by the worker processes that this process starts. */
  readonly localTransports = new LocalTransports();
  readonly #server: ClusterServer;
  readonly #run: Promise<Run>;
  /** Set once the job is prepared. */
  #current: Run | undefined;
  #stopReason: string | undefined;
  #directory: RunDirectory | undefined;
  #previous: PreviousRun | undefined;
  #scaler: Scaler | undefined;
  #endReports: () => void = () => undefined;
  readonly #feed = new StatusFeed(() => this.status());
  #begin!: () => void;
  /** Like `#run`, but also rejects when the run is stopped while preparing, because a model's module may never return. */
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

  /** Listens and locks the run directory. @returns the address for workers. */
  async start(): Promise<string> {
    const address = formatEndpoint(await this.#server.listen(decideListen(this.options)));
    try {
      const onWaiting = (message: string) => this.events.emit({ type: 'note', message });
      this.#directory = await RunDirectory.open(this.options.runDirectory, onWaiting);
      this.#previous = await readPreviousRun(this.#directory);
      if (this.#previous) checkArithmetic(this.#directory.path, this.#previous.manifest, this.options.spec.engine);
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

  /** Trains until the last step or `stop`, and writes the results. Everything is closed when it settles. */
  async run(): Promise<RunResult> {
    const directory = this.#directory!;
    let run: Run | undefined;
    try {
      run = await this.#prepared;
      return await run.train(() => this.#stopReason);
    } catch (error) {
      this.events.emit({ type: 'state', state: 'failed', reason: (error as Error).message });
      run?.abandon(error as Error);
      // Other errors may concern the directory itself, for example if another process has taken it over.
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

  /** Stops the run after the current step; its results so far are written. */
  stop(reason: string): void {
    this.#stopReason ??= reason;
    this.#stopEarly(new ClusterError('STOPPED', `${reason}: stopped before the first step`));
    void this.#run.then((run) => run.stop(reason)).catch(() => undefined);
  }

  fail(error: Error): void {
    void this.#run.then((run) => run.fail(error)).catch(() => undefined);
  }

  async view(): Promise<RunView> {
    return (await this.#durableRun()).view;
  }

  async control(): Promise<RunControl> {
    return (await this.#prepared).control;
  }

  /** Sets the function that starts and drains workers on request. */
  scaleBy(scaler: Scaler): void {
    this.#scaler = scaler;
  }

  async status(): Promise<StatusReply> {
    return (await this.#durableRun()).status();
  }

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

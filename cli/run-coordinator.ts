import { join } from 'node:path';
import type { Logger } from 'pino';
import { Coordinator, type CoordinatorOptions } from '../coordinator/coordinator.js';
import type { RunEvent } from '../coordinator/state/events.js';
import { describeEvent } from '../coordinator/state/event-text.js';
import type { NatsOptions } from '../nats/open.js';
import { formatPlural } from '../run/report/format.js';
import type { RunResult } from '../coordinator/persistence/results.js';
import { cannotWrite } from '../run/write-file.js';
import type { Dataset } from '../data/dataset.js';
import { planSteps } from '../job/plan.js';
import { ClusterError } from '../proto/errors.js';
import { interruptedExitCode } from './exit-codes.js';
import { createLog, type LogLevel } from './log.js';
import { readModel } from './model/model-thread.js';
import { openNatsFor } from './options/nats-options.js';
import { type ObserverOptions, Observers } from './observers.js';
import type { ProgressBar } from './terminal/bar.js';
import { linePrinter } from './terminal/lines.js';
import type { TlsFiles } from './options/tls-files.js';
import { RunDirectoryGuard } from './runs/run-directory-guard.js';

export interface CoordinatorRun extends CoordinatorOptions, Omit<ObserverOptions, keyof CoordinatorOptions> {
  readonly logLevel: LogLevel;
  /** Stop the run when standard input closes, as it does when the parent process is killed. */
  readonly stopAtStdinEnd?: boolean;
  /** Watched for renewed certificates during the run. */
  readonly tls?: TlsFiles | undefined;
  /** NATS connection for the run's events and checkpoints. */
  readonly nats?: NatsOptions | undefined;
  /** Called once the results are written. */
  readonly onResult?: (result: RunResult) => void;
  /** Called when the coordinator listens. The returned helpers are stopped with the run. */
  readonly onListening?: (address: string, coordinator: Coordinator, print: (line: string) => void) => Helpers;
}

/** Processes that run along with a coordinator: local workers. */
interface Helpers {
  /** Called when the job is done. */
  finish(): Promise<void>;
  /** Called last, also when the job failed. */
  stop(): Promise<void>;
}

/**
 * Runs a coordinator with terminal output, log, signal handlers and observers. If it fails before training starts, it
 * leaves no run directory.
 * @returns the exit code.
 */
export async function runCoordinator(options: CoordinatorRun): Promise<number> {
  const guard = await RunDirectoryGuard.inspect(options.runDirectory);
  try {
    return await runObserved(options);
  } catch (error) {
    // A stopped coordinator may still be preparing its run. A failed clean-up must not hide the error.
    if (!(error instanceof ClusterError && error.code === 'STOPPED')) await guard.cleanUp().catch(() => undefined);
    throw error;
  }
}

async function runObserved(options: CoordinatorRun): Promise<number> {
  const observers = await Observers.open(options);
  try {
    return await runWith(observers, options);
  } finally {
    await observers.close();
  }
}

async function runWith(observers: Observers, options: CoordinatorRun): Promise<number> {
  const terminal = new Terminal(options);
  if (observers.healthAddress !== undefined) terminal.print(`Health: ${observers.healthAddress}`);
  const dataset = async () => {
    const opened = await options.dataset();
    await terminal.begin(opened);
    return opened;
  };
  const nats = await openNatsFor(options, (message) => terminal.print(message));
  const coordinator = new Coordinator({ ...options, dataset, readModel, runId: nats?.runId });
  coordinator.events.subscribe((event) => terminal.handle(event));
  nats?.observe(coordinator);
  const address = await coordinator.start().catch(async (error: unknown) => {
    await nats?.close();
    throw error;
  });
  const signals = stopOnSignals(coordinator, terminal);
  const forgetTls = options.tls?.watch((message) => coordinator.events.emit({ type: 'note', message }));
  if (options.stopAtStdinEnd) stopAtStdinEnd(coordinator);
  // Local workers come first because they take longest to start.
  const helpers = options.onListening?.(address, coordinator, (line) => terminal.print(line));
  try {
    const path = join(options.runDirectory, 'log.jsonl');
    const onError = (cause: Error) => coordinator.fail(cannotWrite(path, cause));
    const log = createLog(options.logLevel, { path, onError });
    coordinator.events.subscribe((event) => logEvent(log, event));
    log.info({ address, run: options.runDirectory }, 'listening');
    await observers.begin(coordinator);
    const page = observers.serve(coordinator, (error) => log.warn({ error: error.message }, 'live page'));
    if (page !== undefined) terminal.print(`Live page: ${page}`);
    const result = await coordinator.run().finally(() => nats?.close());
    await terminal.end(result);
    options.onResult?.(result);
    await helpers?.finish();
    return result.outcome === 'finished' ? 0 : interruptedExitCode;
  } finally {
    terminal.stop();
    forgetTls?.();
    await helpers?.stop();
    signals.forget();
  }
}

/** Output of a run: a progress bar on a terminal or the lecture's lines otherwise, and the result. */
class Terminal {
  #bar: ProgressBar | undefined;
  #lines: ((event: RunEvent) => void) | undefined;

  constructor(private readonly options: CoordinatorRun) {}

  async begin(dataset: Dataset): Promise<void> {
    const { spec } = this.options;
    const plan = planSteps(spec, dataset.train.count);
    if (dataset.synthetic && spec.data.dataset !== 'synthetic') this.print(syntheticWarning);
    this.print(
      `${spec.name}: ${spec.model} on ${dataset.title}, ${formatPlural(spec.epochs, 'epoch')} of ` +
        `${formatPlural(plan.stepsPerEpoch, 'step')}, ${formatPlural(spec.shards, 'shard')}, seed ${spec.seed}`,
    );
    if (process.stdout.isTTY) {
      const { ProgressBar } = await import('./terminal/bar.js');
      this.#bar = new ProgressBar(plan, process.stdout);
    }
    const run = { stepsPerEpoch: plan.stepsPerEpoch, samplesPerEpoch: dataset.train.count };
    this.#lines = linePrinter(run, (line) => console.log(line));
  }

  print(line: string): void {
    if (this.#bar) this.#bar.log(line);
    else console.log(line);
  }

  handle(event: RunEvent): void {
    if (event.type === 'note') this.print(event.message);
    if (this.options.logLevel === 'silent') this.#report(event);
    if (this.#bar) this.#bar.handle(event);
    else this.#lines?.(event);
  }

  async end({ input, report }: RunResult): Promise<void> {
    this.stop();
    const { formatConfusion, formatSummary } = await import('../run/report/terminal.js');
    const last = input.evaluations.at(-1);
    if (last) console.log(`\n${formatConfusion(last.confusion, input.dataset.classes)}\n`);
    if (input.dataset.synthetic && this.options.spec.data.dataset !== 'synthetic') console.log(syntheticWarning);
    console.log(`Report: ${report}`);
    console.log(formatSummary(input));
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  /** Prints the most important events for users without a log on the terminal. */
  #report(event: RunEvent): void {
    if (event.type === 'state' && event.state === 'training' && event.reason.includes('ready'))
      this.print(event.reason);
    if (event.type === 'fault' || event.type === 'skipped') this.print(describeEvent(event)!.text);
    if (event.type !== 'worker' || (event.change !== 'lost' && event.change !== 'left')) return;
    this.print(`worker ${event.workerId} ${event.change}: ${event.reason}; its shards go to other workers`);
  }
}

const syntheticWarning =
  '\n*** CIFAR-10 not found: this run uses the SYNTHETIC DATASET. Its results say nothing about CIFAR-10. ***\n' +
  '*** For CIFAR-10, run `lockstep data download` or pass --data PATH.                                  ***\n';

function logEvent(log: Logger, event: RunEvent): void {
  const { type, ...rest } = event;
  if (type === 'step' || type === 'timing') return;
  if (event.type === 'evaluation') return log.info({ record: event.record }, type);
  if ((type === 'worker' && event.change === 'lost') || type === 'waiting' || type === 'skipped') log.warn(rest, type);
  else if (type === 'fault' || (type === 'state' && event.state === 'failed')) log.error(rest, type);
  else log.info(rest, type);
}

/** Stops the coordinator when standard input closes. Reading it doesn't keep the process alive. */
function stopAtStdinEnd(coordinator: Coordinator): void {
  const stop = () => coordinator.stop('its parent process has exited');
  process.stdin.once('end', stop).once('error', stop).resume().unref();
}

/** The first signal stops the run after the current step, the second immediately. */
function stopOnSignals(coordinator: Coordinator, terminal: Terminal): { forget(): void } {
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(interruptedExitCode);
    stopping = true;
    terminal.print(`\n${signal}: stopping after this step and saving the run; repeat to stop immediately`);
    coordinator.stop(signal);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // A write beyond a file-size limit must fail, as on a full disk; the default action kills the process.
  process.on('SIGXFSZ', failWrite);
  return {
    forget: () => {
      process.off('SIGXFSZ', failWrite);
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}

function failWrite(): void {}

import { readFileSync, writeFileSync } from 'node:fs';
import type { V1Container, V1Probe } from '@kubernetes/client-node';
import { type ContainerCommand, ContainerConfigError } from './container-command.js';
import { ContainerProcess } from './container-process.js';
import {
  type Backoff,
  type ContainerRecord,
  type ContainerState,
  decideRestart,
  type RestartPolicy,
  type Terminated,
} from './container-state.js';
import { MountError } from './volumes.js';
import { Probing } from './probe.js';

const configAgainMs = 200;

/** A container's image is unavailable. */
export class ImagePullError extends Error {}

export interface RunnerOptions {
  readonly container: V1Container;
  readonly policy: RestartPolicy;
  readonly backoff: Backoff;
  readonly podIp: string;
  readonly logFile: string;
  /** Replaces its `terminationMessagePath`. */
  readonly lastWordFile: string;
  readonly graceMs: number;
  readonly mostProbePeriodMs: number;
  /** Message of a failure to start that a test injects; undefined for none. */
  readonly startFault: () => string | undefined;
  /** Recreated for each start. @throws ContainerConfigError, MountError, ImagePullError: retried. */
  readonly command: () => Promise<ContainerCommand>;
  readonly onChange: () => void;
}

/** One container of a pod: started, probed and restarted by its policy, until it is stopped. */
export class ContainerRunner {
  record: ContainerRecord;
  #process: ContainerProcess | undefined;
  #stopping = false;
  #wake: (() => void) | undefined;
  readonly #probes: Probing[] = [];

  constructor(private readonly options: RunnerOptions) {
    const { name, image = '' } = options.container;
    this.record = { name, image, restarts: 0, state: { type: 'waiting', reason: 'PodInitializing' } };
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves to its final state once it has ended for good; undefined if it never ran. */
  async run(): Promise<Terminated | undefined> {
    let failuresInARow = 0;
    while (!this.#stopping) {
      const command = await this.#prepare();
      if (!command || this.#stopping) break;
      const ended = await this.#runOnce(command);
      const { policy, backoff } = this.options;
      const next = decideRestart(policy, ended, failuresInARow, backoff);
      this.#set(ended);
      if (this.#stopping || !next.again) return ended;
      failuresInARow = next.failuresInARow;
      await this.#backOff(ended, next.delayMs);
    }
    return this.record.state.type === 'terminated' ? this.record.state : this.record.last;
  }

  /** Ends it gracefully; it isn't restarted. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await Promise.all(this.#probes.map((probe) => probe.stop()));
    await this.#process?.stop(graceMs);
  }

  /** As in a power cut: at once, and without a report. */
  async cut(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await Promise.all(this.#probes.map((probe) => probe.stop()));
    await this.#process?.kill();
  }

  /** The command and its environment, once everything needed exists; undefined if it was stopped before. */
  async #prepare(): Promise<ContainerCommand | undefined> {
    for (;;) {
      if (this.#stopping) return undefined;
      try {
        return await this.options.command();
      } catch (error) {
        this.#set({ type: 'waiting', reason: waitingReason(error), message: (error as Error).message });
      }
      await this.#sleep(configAgainMs);
    }
  }

  async #runOnce(command: ContainerCommand): Promise<Terminated> {
    const fault = this.options.startFault();
    if (fault !== undefined) return startError(fault);
    writeFileSync(this.options.lastWordFile, '');
    const process = new ContainerProcess(command, this.options.logFile);
    this.#process = process;
    const { readinessProbe, startupProbe } = this.options.container;
    this.#set({
      type: 'running',
      startedAtMs: process.startedAtMs,
      started: !startupProbe,
      ready: !readinessProbe && !startupProbe,
    });
    this.#startProbes(process, command.env);
    const ended = withLastWord(await process.ended, this.options);
    this.#process = undefined;
    await Promise.all(this.#probes.splice(0).map((probe) => probe.stop()));
    return ended;
  }

  #startProbes(process: ContainerProcess, env: Readonly<Record<string, string>>): void {
    const { container, graceMs, podIp, mostProbePeriodMs } = this.options;
    const { livenessProbe, readinessProbe, startupProbe } = container;
    const target = { podIp, container, env };
    const probe = (spec: V1Probe | undefined, onVerdict: (verdict: 'passed' | 'failed') => void) => {
      // A liveness probe keeps its own period.
      const periodMs = spec === livenessProbe ? Infinity : mostProbePeriodMs;
      if (spec) this.#probes.push(new Probing(spec, target, onVerdict, periodMs));
    };
    const end = (verdict: 'passed' | 'failed') => {
      if (verdict === 'failed') void process.stop(graceMs);
    };
    const rest = () => {
      probe(livenessProbe, end);
      probe(readinessProbe, (verdict) => this.#running({ ready: verdict === 'passed' }));
    };
    if (!startupProbe) return rest();
    probe(startupProbe, (verdict) => {
      end(verdict);
      if (verdict === 'failed') return;
      this.#running({ started: true, ready: !readinessProbe });
      rest();
    });
  }

  #running(change: { ready?: boolean; started?: boolean }): void {
    const { state } = this.record;
    if (state.type === 'running') this.#set({ ...state, ...change });
  }

  async #backOff(ended: Terminated, delayMs: number): Promise<void> {
    this.record = { ...this.record, last: ended, restarts: this.record.restarts + 1 };
    if (delayMs === 0) return;
    const message = `back-off ${delayMs} ms restarting failed container ${this.record.name}`;
    this.#set({ type: 'waiting', reason: 'CrashLoopBackOff', message });
    await this.#sleep(delayMs);
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #set(state: ContainerState): void {
    this.record = { ...this.record, state };
    this.options.onChange();
  }
}

/** The content of its termination file, or the end of its log if its policy says so and it failed. */
function withLastWord(ended: Terminated, { container, logFile, lastWordFile }: RunnerOptions): Terminated {
  if (ended.message !== undefined) return ended;
  const left = readFileSync(lastWordFile, 'utf8').slice(0, 4096);
  const fallsBack = container.terminationMessagePolicy === 'FallbackToLogsOnError' && ended.exitCode !== 0;
  const message = left === '' && fallsBack ? readFileSync(logFile, 'utf8').slice(-2048) : left;
  return message === '' ? ended : { ...ended, message };
}

function waitingReason(error: unknown): string {
  if (error instanceof ImagePullError) return 'ImagePullBackOff';
  if (error instanceof ContainerConfigError) return 'CreateContainerConfigError';
  if (error instanceof MountError) return 'ContainerCreating';
  return 'CreateContainerError';
}

function startError(message: string): Terminated {
  const now = Date.now();
  return { type: 'terminated', exitCode: 128, reason: 'StartError', message, startedAtMs: now, finishedAtMs: now };
}

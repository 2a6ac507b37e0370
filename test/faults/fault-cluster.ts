import { mkdirSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import type { ReceivedFromWorker, ReceivedToWorker } from '../../proto/messages.js';
import type { Ended } from '../e2e/lockstep.js';
import { within } from '../proto/wire.js';
import { CoordinatorProcess } from './coordinator-process.js';
import { Member, type WorkerKind } from './member.js';
import { describeFault, type FaultPlan, type PlannedFault } from './plan.js';
import { type FiredFault, RecoveryClock } from './recovery.js';
import { strike } from './strike.js';

const closeLimitMs = 10_000;

export interface FaultClusterOptions {
  /** Flags of the job, as `lockstep coordinator` takes them. */
  readonly job: readonly string[];
  /** The run directory; the harness keeps its own files next to it. */
  readonly directory: string;
  readonly workers: number;
  /** Number of workers that the first step after each start of the coordinator waits for; all by default. */
  readonly minWorkers?: number;
  readonly heartbeatLimitMs: number;
  readonly plan?: FaultPlan;
  /** Kinds of workers, in turn: worker i starts as kind i, and each process that replaces it is of the next kind. */
  readonly kinds?: readonly WorkerKind[];
}

/** The beginning of a sum of gradients that a worker's process sent for a step. */
export interface Contribution {
  readonly worker: number;
  /** The process's instruction set, as it told the coordinator. */
  readonly target: string;
  readonly step: number;
}

/** Handling of a coordinator's end that a fault has caused; it is restarted afterwards. */
export interface ExpectedEnd {
  readonly ended: (ended: Ended) => void;
  readonly restarted?: () => void;
}

/**
 * A real cluster on this machine: a coordinator process, and worker processes, each behind a proxy. Applies a plan of
 * faults, replaces processes that die, and records which faults struck and how soon training recovered.
 */
export class FaultCluster {
  readonly coordinator: CoordinatorProcess;
  readonly members = new Map<number, Member>();
  /** Exits of processes before the job's end. */
  readonly exits: string[] = [];
  readonly contributions: Contribution[] = [];
  /** Instruction set of each worker's present process. */
  readonly #targets = new Map<number, string>();
  readonly #clock = new RecoveryClock();
  readonly #harness: string;
  #pending: PlannedFault[];
  #expected: ExpectedEnd | undefined;
  #added = 0;
  #closed = false;

  constructor(private readonly options: FaultClusterOptions) {
    const { job, directory, workers, minWorkers = workers, heartbeatLimitMs } = options;
    const flags = [...job, '--min-workers', String(minWorkers), '--heartbeat-limit', String(heartbeatLimitMs / 1000)];
    this.coordinator = new CoordinatorProcess(flags, directory);
    this.#pending = [...(options.plan ?? [])];
    this.#harness = `${directory}-harness`;
  }

  get fired(): readonly FiredFault[] {
    return this.#clock.fired;
  }

  /** The step dispatched last. */
  get step(): number {
    return this.#clock.step;
  }

  /** Workers that compute the current step. */
  get busy(): number[] {
    return [...this.members.values()].filter(({ step }) => step === this.step).map(({ index }) => index);
  }

  /** Faults of the plan that have not struck yet. */
  get notFired(): string[] {
    const struck = new Set(this.fired.map(({ planned }) => planned));
    return (this.options.plan ?? []).filter((planned) => !struck.has(planned)).map(describeFault);
  }

  async start(): Promise<void> {
    mkdirSync(this.#harness, { recursive: true });
    await this.coordinator.start();
    for (let i = 0; i < this.options.workers; i++) await this.addWorker();
  }

  /** @returns the new worker's index. */
  async addWorker(): Promise<number> {
    const index = this.#added++;
    const { kinds } = this.options;
    const member = await Member.open({
      index,
      directory: this.#harness,
      coordinatorPort: () => this.coordinator.port,
      onToWorker: (message) => this.#seen(index, message),
      onFromWorker: (message) => this.#said(index, message),
      kindOf: kinds && ((start) => kinds[(index + start) % kinds.length]!),
      onExit: (how) => this.exits.push(`worker ${index}: ${how}`),
    });
    this.members.set(index, member);
    return index;
  }

  /** Asks a worker to leave, without replacement. */
  async removeWorker(index: number): Promise<void> {
    const member = this.members.get(index)!;
    this.members.delete(index);
    await member.leave();
  }

  /** Strikes with a fault now, at any step. */
  strike(planned: PlannedFault): void {
    strike(this, planned, (sinceMs = performance.now()) => this.#clock.struck(planned, sinceMs));
  }

  /** The next exit of the coordinator is caused by a fault. */
  expectEnd(expected: ExpectedEnd): void {
    this.#expected = expected;
  }

  /** Runs to the job's end, restarting the coordinator after faults. @returns its exit code. */
  async finish(limitMs: number): Promise<number> {
    const stop = new AbortController();
    const late = after(limitMs, undefined, { signal: stop.signal }).then(() => {
      throw new Error(`run: expected its end within ${limitMs} ms, got ${this.describe()}`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([this.#untilEnd(), late]);
    } finally {
      stop.abort();
    }
  }

  /** Ends the job after the current step; resolves with `finish`. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.coordinator.signal('SIGTERM');
    await this.coordinator.ended;
  }

  /** State of the cluster, for messages of failed tests. */
  describe(): string {
    const logs = [...this.members].map(([index, { log }]) => `worker ${index}:\n${lastLines(log)}`);
    return [
      `step ${this.step}, struck: ${this.fired.map(({ planned }) => describeFault(planned)).join('; ') || 'nothing'}`,
      `ends: ${this.exits.join('; ') || 'none'}`,
      ...logs,
    ].join('\n');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await within(this.coordinator.kill(), 'the coordinator to end', closeLimitMs);
    for (const member of this.members.values()) {
      await within(member.close(), `worker ${member.index} to end`, closeLimitMs);
    }
  }

  #seen(index: number, message: ReceivedToWorker): void {
    if (message.message !== 'compute') return;
    const { step } = message.compute;
    this.#clock.dispatched(step, performance.now());
    const member = this.members.get(index);
    if (member) member.step = step;
    const due = this.#pending.filter(({ at }) => (at.worker ?? index) === index && at.step <= step);
    this.#pending = this.#pending.filter((planned) => !due.includes(planned));
    for (const planned of due) this.strike(planned);
  }

  #said(worker: number, message: ReceivedFromWorker): void {
    if (message.message === 'ready') this.#targets.set(worker, message.ready.target ?? 'unknown');
    if (message.message !== 'partial' || message.partial.chunk > 0) return;
    const { step } = message.partial;
    this.contributions.push({ worker, target: this.#targets.get(worker) ?? 'unknown', step });
  }

  async #untilEnd(): Promise<number> {
    for (;;) {
      const ended = await this.coordinator.ended;
      const expected = this.#expected;
      this.#expected = undefined;
      if (ended.code === 0 || this.#closed) return ended.code ?? -1;
      if (!expected) throw new Error(`coordinator: expected to run on, got exit code ${ended.code}: ${ended.stderr}`);
      this.exits.push(`coordinator: exit code ${ended.code}: ${ended.stderr.trim().split('\n').at(-1) ?? ''}`);
      expected.ended(ended);
      this.#clock.restarted(performance.now());
      await this.coordinator.start();
      await Promise.all([...this.members.values()].map((member) => member.callBack()));
      expected.restarted?.();
    }
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join('\n');
}

import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../coordinator/state/events.js';
import type { InstructionSet } from '../../engine/engine.js';
import { fetchedCudaLibraries } from '../../engine/onnx/cuda-provider.js';
import { ClusterError } from '../../proto/errors.js';
import type { LocalTransports } from '../../transport/local/coordinator-end.js';
import { newWorkerId } from '../../worker/worker-id.js';
import { wrongUsageExitCode } from '../exit-codes.js';
import { chooseGpu, type Gpu, gpuEnvironment } from '../gpus/gpus.js';
import { completesWithin } from '../../util/deadline.js';
import { decideRestart, isFinalEnd } from './restart.js';

export interface LocalWorkersOptions {
  readonly count: number;
  /** Cores shared by all workers. */
  readonly cores: number;
  /** Assigned one per worker and freed when a worker is drained. Empty: workers use CPUs. */
  readonly gpus?: readonly Gpu[];
  /** Address of the coordinator. */
  readonly coordinator: string;
  /** Cache compiled programs on disk. */
  readonly cache: boolean;
  /** Instruction set of the native engine; default: the fastest that works. */
  readonly isa?: InstructionSet | undefined;
  /** Command-line flags for token and TLS. */
  readonly access?: readonly string[];
  readonly localTransports: LocalTransports;
  /** All workers append their JSON log lines here. */
  readonly logFile: string;
  /** Called when a worker exited unexpectedly and will be restarted. */
  readonly onRestart: (message: string) => void;
  /**
   * Called when a worker exited unexpectedly and will not be restarted.
   * @param left - workers that run or will be restarted.
   * @param error - the worker's error, set if every restart would fail in the same way.
   */
  readonly onExit: (message: string, left: number, error?: ClusterError) => void;
}

/** One local worker across restarts of its process. */
interface WorkerSlot {
  readonly index: number;
  readonly gpu: Gpu | undefined;
  workerId: string;
  child: ChildProcess | undefined;
  readySinceMs: number | undefined;
  /** The coordinator's reason when it last lost this worker. */
  lostReason: string | undefined;
  ends: { inARow: number; neverReady: number };
}

/** A small young generation frees dataset chunks early, which saves about 50 MB per worker. */
const nodeOptions = ['--max-semi-space-size=1'];
/**
 * glibc settings. Two arenas instead of one per thread save about 60 MB of freed memory. Huge pages save 8 % of a step's
 * processor time and take 10 MB per worker (docs/decisions/0013-huge-pages.md).
 */
const memorySettings = { MALLOC_ARENA_MAX: '2', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };
const stopLimitMs = 3_000;
/** Time for a drained worker to exit. */
const drainLimitMs = 10_000;
/** After this time in the ready state, an exit no longer counts as a repeated failure. */
const soundAfterMs = 60_000;

/** Worker processes on this machine. They exit when drained, when the job ends, or when this process exits. */
export class LocalWorkers {
  readonly #children = new Set<ChildProcess>();
  /** Wanted workers, without drained ones. */
  readonly #slots = new Set<WorkerSlot>();
  #started = 0;
  readonly #restarts = new Set<NodeJS.Timeout>();
  #stopping = false;

  constructor(private readonly options: LocalWorkersOptions) {
    this.scale(options.count);
  }

  /** Number of wanted workers, including those waiting for a restart. */
  get count(): number {
    return this.#slots.size;
  }

  /**
   * Starts workers, or drains the newest: each stops after its current step, and its shards go to other workers.
   * @throws ClusterError REFUSED when training is over.
   */
  scale(count: number): void {
    if (this.#stopping) throw new ClusterError('REFUSED', 'scale: expected a training run, got one that has ended');
    while (this.#slots.size < count) this.#add();
    for (const slot of [...this.#slots].slice(count)) this.#drain(slot);
  }

  /** Tracks ready and lost workers, and the end of training, after which no worker is restarted. */
  handle(event: RunEvent): void {
    if (event.type === 'state' && event.state === 'reporting') this.#noMore();
    if (event.type !== 'worker') return;
    for (const slot of this.#slots) {
      if (slot.workerId !== event.workerId) continue;
      if (event.change === 'ready') slot.readySinceMs ??= performance.now();
      if (event.change === 'lost') slot.lostReason = event.reason;
    }
  }

  /** Stops all workers; kills those that don't exit within 3 s. */
  async stop(): Promise<void> {
    this.#noMore();
    const children = [...this.#children];
    for (const child of children) if (child.connected) child.disconnect();
    const all = Promise.all(children.map(ended));
    if (!(await completesWithin(all, stopLimitMs))) children.forEach((child) => child.kill('SIGKILL'));
    await all;
  }

  /** Waits up to 3 s for the workers to exit, as they do when the job ends, then stops them. */
  async finish(): Promise<void> {
    this.#noMore();
    await completesWithin(Promise.all([...this.#children].map(ended)), stopLimitMs);
    await this.stop();
  }

  #add(): void {
    const ends = { inARow: 0, neverReady: 0 };
    const inUse = [...this.#slots].map(({ gpu }) => gpu);
    const gpu = chooseGpu(this.options.gpus ?? [], inUse);
    const slot: WorkerSlot = {
      index: this.#started++,
      gpu,
      workerId: '',
      child: undefined,
      readySinceMs: undefined,
      lostReason: undefined,
      ends,
    };
    this.#slots.add(slot);
    this.#start(slot);
  }

  #drain(slot: WorkerSlot): void {
    this.#slots.delete(slot);
    const { child } = slot;
    if (!child || !this.#children.has(child)) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), drainLimitMs).unref();
    child.once('exit', () => clearTimeout(timer));
  }

  #noMore(): void {
    this.#stopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
  }

  #start(slot: WorkerSlot): void {
    const { coordinator, cores, cache, isa, access = [], localTransports, logFile } = this.options;
    slot.workerId = newWorkerId();
    slot.readySinceMs = undefined;
    slot.lostReason = undefined;
    const main = fileURLToPath(new URL('../main.js', import.meta.url));
    const own = ['--worker-id', slot.workerId, '--cores', String(cores), '--log-level', 'info'];
    const args = [main, 'worker', '--coordinator', coordinator, ...access, ...own];
    if (!cache) args.push('--no-cache');
    if (isa !== undefined) args.push('--isa', isa);
    const local = localTransports.prepare(slot.workerId);
    args.push(...local.args);
    const log = openSync(logFile, 'a');
    const env = {
      ...{ ...memorySettings, ...process.env },
      ...(slot.gpu && gpuEnvironment(slot.gpu, process.env, fetchedCudaLibraries())),
    };
    // The IPC channel closes when this process exits, so no worker is orphaned. Next: the local transport, see `localFds`.
    const stdio: StdioOptions = ['ignore', 'ignore', log, 'ipc', ...local.stdio];
    const child = spawn(process.execPath, [...nodeOptions, ...args], { env, stdio });
    local.started(child);
    closeSync(log);
    slot.child = child;
    this.#children.add(child);
    const { workerId } = slot;
    const onEnd = (how: string, code: number | null) => {
      // Its last messages may still be unread.
      setTimeout(() => localTransports.close(workerId), drainLimitMs).unref();
      if (this.#children.delete(child) && this.#slots.has(slot) && !this.#stopping) this.#ended(slot, how, code);
    };
    child.once('error', (error) => onEnd(error.message, null));
    child.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`, code));
  }

  #ended(slot: WorkerSlot, how: string, code: number | null): void {
    const { onRestart, onExit, logFile } = this.options;
    slot.ends = countEnd(slot, performance.now());
    const message = `local worker ${slot.index} exited (${how})`;
    const decision = isFinalEnd(code) ? 'give up' : decideRestart(slot.ends);
    if (decision === 'give up') {
      this.#slots.delete(slot);
      const error = code === wrongUsageExitCode ? refusal(slot.lostReason ?? `${message}; see ${logFile}`) : undefined;
      return onExit(`${message} and will not be restarted; see ${logFile}`, this.#slots.size, error);
    }
    onRestart(`${message}; restarting it in ${decision.delayMs / 1000} s`);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      if (this.#slots.has(slot)) this.#start(slot);
    }, decision.delayMs);
    this.#restarts.add(timer);
  }
}

function refusal(reason: string): ClusterError {
  return new ClusterError('BAD_ENGINE', `workers: ${reason}`);
}

function countEnd({ readySinceMs, ends }: WorkerSlot, nowMs: number): WorkerSlot['ends'] {
  const isSound = readySinceMs !== undefined && nowMs - readySinceMs >= soundAfterMs;
  return {
    inARow: isSound ? 1 : ends.inARow + 1,
    neverReady: readySinceMs === undefined ? ends.neverReady + 1 : 0,
  };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../coordinator/state/events.js';
import { fetchedCudaLibraries } from '../engine/onnx/cuda-provider.js';
import { ClusterError } from '../proto/errors.js';
import type { LocalTransports } from '../transport/local/coordinator-end.js';
import { newWorkerId } from '../worker/worker-id.js';
import { wrongUsageExitCode } from './exit-codes.js';
import { chooseGpu, type Gpu, gpuEnvironment } from './gpus/gpus.js';
import { decideRestart, isFinalEnd } from './restart.js';

export interface LocalWorkersOptions {
  readonly count: number;
  /** Cores that they share. */
  readonly cores: number;
  /** They are dealt out, one to each worker; those of a worker that leaves are free again. None: CPUs. */
  readonly gpus?: readonly Gpu[];
  /** Address of the coordinator. */
  readonly coordinator: string;
  /** Whether they keep compiled programs on disk. */
  readonly cache: boolean;
  /** Options of token and TLS. */
  readonly access?: readonly string[];
  readonly localTransports: LocalTransports;
  /** JSON lines of all workers are appended here. */
  readonly logFile: string;
  /** A worker ended without being told to, and is started again. */
  readonly onRestart: (message: string) => void;
  /**
   * A worker ended for good without being asked to; `left` workers keep running or are restarted.
   * @param error - the worker's own error, set when every restart would end in the same way.
   */
  readonly onExit: (message: string, left: number, error?: ClusterError) => void;
}

/** One of the workers, through all its processes. */
interface Place {
  readonly index: number;
  readonly gpu: Gpu | undefined;
  workerId: string;
  child: ChildProcess | undefined;
  readySinceMs: number | undefined;
  /** Reason that the coordinator gave when it last lost this worker. */
  lostReason: string | undefined;
  ends: { inARow: number; neverReady: number };
}

/** Chunks of the dataset become garbage fast: a small young generation frees them some 50 MB earlier. */
const nodeOptions = ['--max-semi-space-size=1'];
/**
 * For glibc. With an arena per thread it would keep some 60 MB more of freed memory. With huge pages the engine's steps
 * take 1 to 5 % less time, and a worker 10 MB more (docs/benchmarks.md).
 */
export const memorySettings = { MALLOC_ARENA_MAX: '2', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };
const stopLimitMs = 3_000;
/** What a worker has to leave that is not needed any more. */
const drainLimitMs = 10_000;
/** A worker that has worked for so long is not about to end again for the same reason. */
const soundAfterMs = 60_000;

/** Worker processes on this machine. They end when told to, when the job ends, or when this process does. */
export class LocalWorkers {
  readonly #children = new Set<ChildProcess>();
  /** Workers that there shall be; those that were drained are not among them. */
  readonly #places = new Set<Place>();
  #started = 0;
  readonly #restarts = new Set<NodeJS.Timeout>();
  #stopping = false;

  constructor(private readonly options: LocalWorkersOptions) {
    this.scale(options.count);
  }

  /** How many there shall be, those included that are about to be started again. */
  get count(): number {
    return this.#places.size;
  }

  /**
   * Starts workers, or drains the newest ones: they leave after what they compute, and others take over their shards.
   * @throws ClusterError REFUSED when the training is over.
   */
  scale(count: number): void {
    if (this.#stopping) throw new ClusterError('REFUSED', 'scale: expected a run that trains, got one that is over');
    while (this.#places.size < count) this.#add();
    for (const place of [...this.#places].slice(count)) this.#drain(place);
  }

  /** Takes note of which workers became ready, and of the end of the training, when all are sent home. */
  handle(event: RunEvent): void {
    if (event.type === 'state' && event.state === 'reporting') this.#noMore();
    if (event.type !== 'worker') return;
    for (const place of this.#places) {
      if (place.workerId !== event.workerId) continue;
      if (event.change === 'ready') place.readySinceMs ??= performance.now();
      if (event.change === 'lost') place.lostReason = event.reason;
    }
  }

  /** Ends all workers, gently first. */
  async stop(): Promise<void> {
    this.#noMore();
    const children = [...this.#children];
    for (const child of children) if (child.connected) child.disconnect();
    const timer = setTimeout(() => children.forEach((child) => child.kill('SIGKILL')), stopLimitMs);
    await Promise.all(children.map(ended));
    clearTimeout(timer);
  }

  /** Waits for the workers to end by themselves, as they do when the coordinator sends them home. */
  async finish(): Promise<void> {
    this.#noMore();
    const all = Promise.all([...this.#children].map(ended));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, stopLimitMs)));
    await Promise.race([all, late]);
    clearTimeout(timer);
    await this.stop();
  }

  #add(): void {
    const ends = { inARow: 0, neverReady: 0 };
    const inUse = [...this.#places].map(({ gpu }) => gpu);
    const gpu = chooseGpu(this.options.gpus ?? [], inUse);
    const place: Place = {
      index: this.#started++,
      gpu,
      workerId: '',
      child: undefined,
      readySinceMs: undefined,
      lostReason: undefined,
      ends,
    };
    this.#places.add(place);
    this.#start(place);
  }

  #drain(place: Place): void {
    this.#places.delete(place);
    const { child } = place;
    if (!child || !this.#children.has(child)) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), drainLimitMs).unref();
    child.once('exit', () => clearTimeout(timer));
  }

  #noMore(): void {
    this.#stopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
  }

  #start(place: Place): void {
    const { coordinator, cores, cache, access = [], localTransports, logFile } = this.options;
    place.workerId = newWorkerId();
    place.readySinceMs = undefined;
    place.lostReason = undefined;
    const main = fileURLToPath(new URL('./main.js', import.meta.url));
    const own = ['--worker-id', place.workerId, '--cores', String(cores), '--log-level', 'info'];
    const args = [main, 'worker', '--coordinator', coordinator, ...access, ...own];
    if (!cache) args.push('--no-cache');
    const local = localTransports.prepare(place.workerId);
    args.push(...local.args);
    const log = openSync(logFile, 'a');
    const env = {
      ...{ ...memorySettings, ...process.env },
      ...(place.gpu && gpuEnvironment(place.gpu, process.env, fetchedCudaLibraries())),
    };
    // A worker ends when its IPC channel closes, so none is orphaned. The local transport's files follow; see `localFds`.
    const stdio: StdioOptions = ['ignore', 'ignore', log, 'ipc', ...local.stdio];
    const child = spawn(process.execPath, [...nodeOptions, ...args], { env, stdio });
    local.started(child);
    closeSync(log);
    place.child = child;
    this.#children.add(child);
    const { workerId } = place;
    const gone = (how: string, code: number | null) => {
      // Its last results may still be arriving.
      setTimeout(() => localTransports.close(workerId), drainLimitMs).unref();
      if (this.#children.delete(child) && this.#places.has(place) && !this.#stopping) this.#ended(place, how, code);
    };
    child.once('error', (error) => gone(error.message, null));
    child.once('exit', (code, signal) => gone(signal ?? `exit code ${code}`, code));
  }

  #ended(place: Place, how: string, code: number | null): void {
    const { onRestart, onExit, logFile } = this.options;
    place.ends = countEnd(place, performance.now());
    const message = `local worker ${place.index} ended (${how})`;
    const decision = isFinalEnd(code) ? 'give up' : decideRestart(place.ends);
    if (decision === 'give up') {
      this.#places.delete(place);
      const error = code === wrongUsageExitCode ? refusal(place.lostReason ?? `${message}; see ${logFile}`) : undefined;
      return onExit(`${message} and is not started again; see ${logFile}`, this.#places.size, error);
    }
    onRestart(`${message}; starting it again in ${decision.delayMs / 1000} s`);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      if (this.#places.has(place)) this.#start(place);
    }, decision.delayMs);
    this.#restarts.add(timer);
  }
}

function refusal(reason: string): ClusterError {
  return new ClusterError('BAD_ENGINE', `workers: ${reason}`);
}

function countEnd({ readySinceMs, ends }: Place, nowMs: number): Place['ends'] {
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

import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort, main } from '../../e2e/lockstep.js';
import { TcpCable } from '../tcp-cable.js';
import type { ClusterKind, Strike } from './strikes.js';

export interface ClusterOptions {
  readonly kind: ClusterKind;
  readonly job: readonly string[];
  readonly workers: number;
  readonly heartbeatLimitMs: number;
  /** The run directory; the output of processes is written next to it. */
  readonly directory: string;
}

/** A process of the cluster that is replaced when it ends before the run does. */
interface Kept {
  child: ChildProcess;
  readonly start: () => ChildProcess;
}

/** A worker over gRPC: its cable, and the process at its end. */
interface Place extends Kept {
  readonly cable: TcpCable;
}

/** Limit for the cluster to end. */
const closeLimitMs = 10_000;

/** A real cluster on this machine. Processes that end before the run does are replaced. */
export class Cluster {
  /** Number of starts of the coordinator. */
  starts = 0;
  /** Time of the coordinator's last start. */
  startedMs = 0;
  /** Settles when the run has finished. */
  readonly finished: Promise<void>;
  #coordinator!: ChildProcess;
  readonly #places: Place[] = [];
  readonly #all = new Set<ChildProcess>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isOver = false;
  #finish!: () => void;
  #fail!: (error: Error) => void;

  private constructor(
    private readonly options: ClusterOptions,
    readonly port: number,
  ) {
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.finished.catch(() => undefined);
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await freePort());
    mkdirSync(cluster.#logs, { recursive: true });
    cluster.#startCoordinator();
    if (options.kind === 'grpc') for (let i = 0; i < options.workers; i++) await cluster.#addPlace(i);
    return cluster;
  }

  get hasWorkers(): boolean {
    return this.#workerPids().length > 0;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get #logs(): string {
    return `${this.options.directory}-output`;
  }

  /** @returns false if there was nothing to strike. `again` is called once the fault is over. */
  strike({ kind, victim, ms }: Strike, again: () => void): boolean {
    switch (kind) {
      case 'killCoordinator':
        return this.#coordinator.kill('SIGKILL');
      case 'endCoordinator':
        return this.#coordinator.kill('SIGTERM');
      case 'stopCoordinator':
        return this.#stop(this.#coordinator.pid!, ms, again);
      case 'killAll':
        return this.#workerPids().filter((pid) => signal(pid, 'SIGKILL')).length > 0;
      case 'scale':
        return this.#scale(ms);
      case 'sever':
        return this.#cable(victim).sever() > 0;
      case 'hold':
        return this.#hold(this.#cable(victim), ms);
      default:
        return this.#strikeWorker(kind, victim, ms);
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const pid of this.#workerPids()) signal(pid, 'SIGKILL');
    const ends = [...this.#all].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#all) child.kill('SIGKILL');
    await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, closeLimitMs).unref())]);
    for (const { cable } of this.#places) await cable.close();
  }

  #strikeWorker(kind: 'killWorker' | 'endWorker' | 'stopWorker', victim: number, ms: number): boolean {
    const pids = this.#workerPids();
    const pid = pids[Math.floor(victim * pids.length)];
    if (pid === undefined) return false;
    if (kind === 'stopWorker') return this.#stop(pid, ms, () => undefined);
    if (kind === 'killWorker') return signal(pid, 'SIGKILL');
    // A terminated local worker isn't restarted, and a run without workers fails, so another one is requested.
    if (this.options.kind === 'local') {
      if (pids.length < 2) return false;
      this.#later(200, () => void this.#lockstepScale(this.options.workers));
    }
    return signal(pid, 'SIGTERM');
  }

  #stop(pid: number, ms: number, again: () => void): boolean {
    if (!signal(pid, 'SIGSTOP')) return false;
    this.#later(ms, () => {
      signal(pid, 'SIGCONT');
      again();
    });
    return true;
  }

  #scale(ms: number): boolean {
    if (this.options.kind === 'grpc') return this.#workerPids().filter((pid) => signal(pid, 'SIGTERM')).length > 0;
    const back = () => void this.#lockstepScale(this.options.workers);
    void this.#lockstepScale(0).then(() => this.#later(ms, back));
    return true;
  }

  /** Settles when the command has ended, even with an error, as the coordinator may have ended. */
  #lockstepScale(workers: number): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const args = ['scale', String(workers), '--coordinator', `127.0.0.1:${this.port}`];
    const child = this.#spawn(`scale-${this.#all.size}`, args);
    return new Promise((resolve) => child.once('exit', () => resolve()));
  }

  #cable(victim: number): TcpCable {
    return this.#places[Math.floor(victim * this.#places.length)]!.cable;
  }

  #hold(cable: TcpCable, ms: number): boolean {
    cable.hold();
    this.#later(ms, () => cable.release());
    return true;
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }

  #workerPids(): number[] {
    if (this.options.kind === 'grpc') {
      return this.#places.flatMap(({ child }) => (isRunning(child) && child.pid !== undefined ? child.pid : []));
    }
    return isRunning(this.#coordinator) ? childrenOf(this.#coordinator.pid!) : [];
  }

  #startCoordinator(): void {
    const { kind, job, workers, heartbeatLimitMs, directory } = this.options;
    const own = kind === 'local' ? ['--workers', String(workers)] : ['--min-workers', String(workers)];
    const place = ['--run', directory, '--listen', `127.0.0.1:${this.port}`, '--no-http'];
    const limit = ['--heartbeat-limit', String(heartbeatLimitMs / 1000)];
    this.starts++;
    this.startedMs = performance.now();
    const command = kind === 'local' ? 'train' : 'coordinator';
    const child = this.#spawn(`coordinator-${this.starts}`, [command, ...job, ...own, ...place, ...limit]);
    this.#coordinator = child;
    child.once('exit', (code, how) => this.#coordinatorEnded(code, how));
  }

  /** Exit code 0: the run has finished. Code 130 and signals are caused by the faults. */
  #coordinatorEnded(code: number | null, how: NodeJS.Signals | null): void {
    if (this.#isOver) return;
    if (code === 0 || outcomeOf(this.options.directory) === 'finished') {
      this.#isOver = true;
      return this.#finish();
    }
    if (code === 130 || how === 'SIGKILL') return this.#startCoordinator();
    this.#fail(new Error(`coordinator: expected to run on, got ${how ?? `exit code ${code}`}; see ${this.#logs}`));
  }

  async #addPlace(index: number): Promise<void> {
    const cable = await TcpCable.open(() => this.port);
    const args = ['worker', '--coordinator', `127.0.0.1:${cable.port}`, '--wait', '120'];
    let starts = 0;
    const start = () => this.#spawn(`worker-${index}-${starts++}`, args);
    const place: Place = { cable, start, child: start() };
    this.#places.push(place);
    this.#keep(place);
  }

  #keep(place: Kept): void {
    place.child.once('exit', () => {
      if (this.#isOver) return;
      // A worker that was drained or ended by a fault is replaced a moment later, as by a supervisor.
      this.#later(100, () => {
        place.child = place.start();
        this.#keep(place);
      });
    });
  }

  #spawn(name: string, args: readonly string[]): ChildProcess {
    const file = openSync(join(this.#logs, `${name}.log`), 'w');
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', file, file] });
    closeSync(file);
    this.#all.add(child);
    child.once('exit', () => this.#all.delete(child));
    return child;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function outcomeOf(directory: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as { outcome?: unknown }).outcome;
  } catch {
    return undefined;
  }
}

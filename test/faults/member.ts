import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReceivedFromWorker, ReceivedToWorker } from '../../proto/messages.js';
import { Command } from '../e2e/lockstep.js';
import { FaultProxy } from './fault-proxy.js';

const failingEngine = fileURLToPath(new URL('./failing-engine.cjs', import.meta.url));

/** A kind of worker process. */
export interface WorkerKind {
  /** Node.js with the words before it. */
  readonly node: readonly [string, ...string[]];
  readonly flags: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

const usualKind: WorkerKind = { node: [process.execPath], flags: [], environment: {} };

/** Heap of each thread of a worker: enough for the job, and quickly filled. */
const heapMb = 256;

export interface MemberOptions {
  readonly index: number;
  readonly directory: string;
  readonly coordinatorPort: () => number;
  readonly onToWorker: (message: ReceivedToWorker) => void;
  readonly onFromWorker?: ((message: ReceivedFromWorker) => void) | undefined;
  /** The kind of the process that is started; by default, this Node.js without flags. */
  readonly kindOf?: ((start: number) => WorkerKind) | undefined;
  /** A worker process that exits by itself or by a fault is replaced at once. */
  readonly onExit: (how: string) => void;
}

/** One slot for a worker: its proxy, and its process, which is replaced whenever it exits. */
export class Member {
  #process: Command | undefined;
  /** The step last dispatched to the worker. */
  step = -1;
  /** Number of shards that its session holds. */
  holding = 0;
  /** Processes started before the present one. */
  #starts = 0;
  #closing = false;
  /** The coordinator has announced the job's end. */
  #sentHome = false;
  #timer: NodeJS.Timeout | undefined;
  /** Called once, if the process exits before it was asked to. */
  #onEnd: (() => void) | undefined;
  readonly #triggerFile: string;

  private constructor(
    readonly proxy: FaultProxy,
    private readonly options: MemberOptions,
  ) {
    this.#triggerFile = join(options.directory, `throw-${options.index}`);
    this.#start();
  }

  static async open(options: MemberOptions): Promise<Member> {
    let said: (message: ReceivedFromWorker) => void = () => undefined;
    let told: (message: ReceivedToWorker) => void = () => undefined;
    const proxy = await FaultProxy.open({
      coordinatorPort: options.coordinatorPort,
      onFromWorker: (message) => said(message),
      onToWorker: (message) => told(message),
    });
    const member = new Member(proxy, options);
    said = (message) => member.#said(message);
    told = (message) => member.#told(message);
    return member;
  }

  get index(): number {
    return this.options.index;
  }

  get log(): string {
    return this.#process?.stderr ?? '';
  }

  signal(signal: NodeJS.Signals): void {
    this.#process!.process.kill(signal);
  }

  /** Stops the process and continues it `ms` later, if it still exists. */
  stop(ms: number): void {
    const { process } = this.#process!;
    process.kill('SIGSTOP');
    this.#timer = setTimeout(() => process.kill('SIGCONT'), ms);
  }

  /** The engine fails at its next run. @param failed - called when the worker has exited because of it. */
  failEngine(how: 'engineThrow' | 'outOfMemory', failed: () => void): void {
    writeFileSync(this.#triggerFile, how);
    this.#onEnd = () => {
      if (!existsSync(this.#triggerFile)) failed();
    };
  }

  /** The job continues after all: a dismissed worker comes back. */
  async callBack(): Promise<void> {
    const gone = this.#process!;
    if (!this.#sentHome) return;
    await gone.ended;
    if (this.#process === gone) this.#start();
  }

  /** Asks the worker to leave, without replacement. */
  async leave(): Promise<void> {
    this.#closing = true;
    this.signal('SIGTERM');
    await this.#process!.ended;
    await this.proxy.close();
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#process!.kill();
    await this.proxy.close();
  }

  #told(message: ReceivedToWorker): void {
    if (message.message === 'finish') this.#sentHome = true;
    this.options.onToWorker(message);
  }

  #said(message: ReceivedFromWorker): void {
    if (message.message === 'hello') this.holding = 0;
    if (message.message === 'holding') this.holding = message.holding.shards.length;
    this.options.onFromWorker?.(message);
  }

  #start(): void {
    const { node, flags, environment } = this.options.kindOf?.(this.#starts++) ?? usualKind;
    const harness = {
      NODE_OPTIONS: `--require ${JSON.stringify(failingEngine)} --max-old-space-size=${heapMb}`,
      LOCKSTEP_FAULT_FILE: this.#triggerFile,
    };
    const args = ['worker', '--coordinator', this.proxy.address, '--wait', '120', ...flags];
    const started = new Command(args, { ...environment, ...harness }, node);
    this.#process = started;
    this.#sentHome = false;
    void started.ended.then(({ code, stderr }) => {
      if (this.#closing || code === 0) return;
      const how = started.process.signalCode ?? `exit code ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`;
      this.#onEnd?.();
      this.#onEnd = undefined;
      this.options.onExit(how);
      this.step = -1;
      this.holding = 0;
      this.#start();
    });
  }
}

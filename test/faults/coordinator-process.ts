import { execFileSync } from 'node:child_process';
import { type FSWatcher, mkdirSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { Command, type Ended } from '../e2e/lockstep.js';

/** The coordinator of one run directory: started, killed, and started again on the same directory. */
export class CoordinatorProcess {
  #command!: Command;
  #port = 0;
  #watcher: FSWatcher | undefined;
  /** Number of starts. */
  starts = 0;
  /** Clock of the last start; ms. */
  startedMs = 0;

  constructor(
    private readonly flags: readonly string[],
    private readonly directory: string,
  ) {}

  get port(): number {
    return this.#port;
  }

  get ended(): Promise<Ended> {
    return this.#command.ended;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    this.starts++;
    this.startedMs = performance.now();
    const args = ['coordinator', ...this.flags, '--listen', '127.0.0.1:0', '--run', this.directory];
    this.#command = new Command([...args, '--log-level', 'warn']);
    const [, port] = await this.#command.until(/listening on 127\.0\.0\.1:(\d+)/);
    this.#port = Number(port);
  }

  signal(signal: NodeJS.Signals): void {
    this.#command.process.kill(signal);
  }

  /** Kills it as soon as a half-written checkpoint appears. */
  killDuringCheckpoint(): void {
    const checkpoints = join(this.directory, 'checkpoints');
    mkdirSync(checkpoints, { recursive: true });
    this.#watcher?.close();
    this.#watcher = watch(checkpoints, (_, name) => {
      if (!name?.endsWith('.part')) return;
      this.signal('SIGKILL');
      this.#watcher?.close();
      this.#watcher = undefined;
    });
  }

  /** Half-written checkpoints in the run directory. */
  get halfWritten(): string[] {
    return readdirSync(join(this.directory, 'checkpoints')).filter((name) => name.endsWith('.part'));
  }

  /** Limits the growth of its files to `bytes` from now on, as on a full disk; by prlimit(1) of util-linux. */
  limitFiles(bytes: number): void {
    execFileSync('prlimit', ['--pid', String(this.#command.process.pid), `--fsize=${bytes}`]);
  }

  async kill(): Promise<void> {
    this.#watcher?.close();
    await this.#command?.kill();
  }
}

/** Reason why limits can't be set here; undefined if they can. */
export function cannotLimit(): string | undefined {
  try {
    execFileSync('prlimit', ['--version']);
    return undefined;
  } catch {
    return 'prlimit is not installed here';
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface LocalWorkersOptions {
  readonly count: number;
  /** Address of the coordinator. */
  readonly coordinator: string;
  readonly tokenFile?: string | undefined;
  /** JSON lines of all workers are appended here. */
  readonly logFile: string;
  /** A worker ended without being told to. */
  readonly onExit: (message: string, left: number) => void;
}

const stopLimitMs = 3_000;

/** Worker processes on this machine. They end when told to, when the job ends, or when this process does. */
export class LocalWorkers {
  readonly #children = new Set<ChildProcess>();
  #stopping = false;

  constructor(private readonly options: LocalWorkersOptions) {
    for (let i = 0; i < options.count; i++) this.#start(i);
  }

  /** Ends all workers, gently first. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const children = [...this.#children];
    for (const child of children) if (child.connected) child.disconnect();
    const timer = setTimeout(() => children.forEach((child) => child.kill('SIGKILL')), stopLimitMs);
    await Promise.all(children.map(ended));
    clearTimeout(timer);
  }

  /** Waits for the workers to end by themselves, as they do when the coordinator sends them home. */
  async finish(): Promise<void> {
    this.#stopping = true;
    const all = Promise.all([...this.#children].map(ended));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, stopLimitMs)));
    await Promise.race([all, late]);
    clearTimeout(timer);
    await this.stop();
  }

  #start(index: number): void {
    const { coordinator, tokenFile, logFile } = this.options;
    const main = fileURLToPath(new URL('./main.js', import.meta.url));
    const args = [main, 'worker', '--coordinator', coordinator, '--log-level', 'info'];
    if (tokenFile !== undefined) args.push('--token-file', tokenFile);
    const log = openSync(logFile, 'a');
    // With an arena per thread, glibc keeps some 60 MB more of freed memory.
    const env = { MALLOC_ARENA_MAX: '2', ...process.env };
    // The channel tells a worker that this process is gone, so that no orphan goes on.
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', log, 'ipc'] });
    closeSync(log);
    this.#children.add(child);
    const gone = (how: string) => {
      if (!this.#children.delete(child) || this.#stopping) return;
      this.options.onExit(`local worker ${index} ended (${how}); see ${logFile}`, this.#children.size);
    };
    child.once('error', (error) => gone(error.message));
    child.once('exit', (code, signal) => gone(signal ?? `exit code ${code}`));
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

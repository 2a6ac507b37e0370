import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

const killAfterMs = 10_000;

/** A server that runs during the tests, with its output in a file. */
export class Program {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(
    readonly name: string,
    path: string,
    args: readonly string[],
    readonly logFile: string,
  ) {
    const log = openSync(logFile, 'a');
    this.#process = spawn(path, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#ended = new Promise((resolve) => {
      this.#process.once('exit', () => resolve());
      this.#process.once('error', () => resolve());
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Polls until `ready` returns true. @throws with the end of its log if it exits before, or after `limitMs`. */
  async until(ready: () => Promise<boolean>, limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!(await ready())) {
      if (this.#isOver()) throw new Error(`${this.name}: expected it to be ready, it ended:\n${this.logTail()}`);
      if (performance.now() > deadline) {
        throw new Error(`${this.name}: expected it to be ready within ${limitMs} ms:\n${this.logTail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it; with SIGTERM it has some time to shut down. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#isOver()) return;
    this.#process.kill(signal);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), killAfterMs);
    await this.#ended;
    clearTimeout(timer);
  }

  logTail(lines = 20): string {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-lines).join('\n');
  }

  #isOver(): boolean {
    return this.#process.pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}

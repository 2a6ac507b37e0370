import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { ContainerCommand } from './container-command.js';
import { exitCodeOf, type Terminated } from './container-state.js';

/** A container's process. */
export class ContainerProcess {
  readonly #child: ChildProcess;
  readonly startedAtMs = Date.now();
  /** Resolves to its end state; never rejects. */
  readonly ended: Promise<Terminated>;

  /** @param logFile - its output is appended here. */
  constructor({ argv, env, workingDirectory }: ContainerCommand, logFile: string) {
    const log = openSync(logFile, 'a');
    const [file = '', ...args] = argv;
    this.#child = spawn(file, args, {
      env,
      stdio: ['ignore', log, log],
      ...(workingDirectory === undefined ? {} : { cwd: workingDirectory }),
    });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(this.#over(128, 'StartError', error.message)));
      this.#child.once('exit', (code, signal) => resolve(this.#over(exitCodeOf(code, signal))));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to end, and kills it after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #over(exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error', message?: string): Terminated {
    const ended = { type: 'terminated' as const, exitCode, reason };
    const times = { startedAtMs: this.startedAtMs, finishedAtMs: Date.now() };
    return message === undefined ? { ...ended, ...times } : { ...ended, ...times, message };
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `lockstep` command with its output so far. Every wait has a deadline. */
export class Command {
  stdout = '';
  stderr = '';
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;

  /** @param node - Node.js with the words before it */
  constructor(
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    node: readonly [string, ...string[]] = [process.execPath],
  ) {
    const env: NodeJS.ProcessEnv = { ...process.env, ...environment };
    for (const [name, value] of Object.entries(environment)) if (value === undefined) delete env[name];
    const [program, ...first] = node;
    this.process = spawn(program, [...first, main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout!.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.process.stderr!.on('data', (data: Buffer) => (this.stderr += data.toString()));
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** Waits until standard output or error matches; fails after `limitMs`, or when the command ends without a match. */
  async until(pattern: RegExp, limitMs = 30_000): Promise<RegExpExecArray> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const found = pattern.exec(this.stdout + this.stderr);
      if (found) return found;
      const over = this.process.exitCode !== null || performance.now() > deadline;
      if (over) throw new Error(`expected ${pattern}, got:\n${this.stdout}\n${this.stderr}`);
      await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
  }

  /** Ends the command if it still runs; for clean-up. */
  async kill(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    await this.ended;
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a command to its end. @throws with its output when that takes longer than `limitMs`. */
export async function lockstep(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  limitMs = 180_000,
): Promise<Ended> {
  const command = new Command(args, environment);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void command.kill();
  }, limitMs);
  const ended = await command.ended;
  clearTimeout(timer);
  if (!late) return ended;
  throw new Error(
    `lockstep ${args.join(' ')}: expected its end within ${limitMs} ms:\n${ended.stdout}\n${ended.stderr}`,
  );
}

/** A job small enough for tests: the synthetic dataset with 200 images per batch, five shards, 21 steps per epoch. */
export const smallJob = [
  ...['--preset', 'cluster-cnn3', '--batch-per-shard', '10', '--epochs', '1', '--set', 'evaluation.batch=100'],
  ...['--set', 'data.dataset=synthetic', '--set', 'data.limit=205'],
];

/** A directory that is removed after the tests. */
export function scratchDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'lockstep-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Process ids of a process's children, from /proc. */
export async function childrenOf(pid: number): Promise<number[]> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

/** True if the process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { Command, scratchDirectory } from '../../e2e/lockstep.js';
import { ScriptedRun } from '../../faults/scripted-run.js';
import { NatsServer } from './nats-server.js';

/** The job of these tests: four epochs of 21 steps, with a checkpoint every five. */
export const job = ['--epochs', '4', '--set', 'checkpoint.everySteps=5'];

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A directory that is removed after the test. */
export function scratch(): string {
  const directory = scratchDirectory();
  cleanUp.push(directory.remove);
  return directory.path;
}

/** A file that is removed after the test. */
export function secretFile(content: string): string {
  const file = join(scratch(), 'secret');
  writeFileSync(file, content);
  return file;
}

export function signInFlags(user: string, password: string): string[] {
  return ['--nats-user', user, '--nats-password-file', secretFile(password)];
}

/** A server that is stopped after the test. */
export async function startServer(...flags: string[]): Promise<NatsServer> {
  const server = await NatsServer.start(...flags);
  cleanUp.push(() => server.close());
  return server;
}

/** A run that is stopped after the test. */
export async function startRun(directory: string, ...flags: string[]): Promise<ScriptedRun> {
  const run = await ScriptedRun.start(directory, ...job, ...flags);
  cleanUp.push(() => run.close());
  return run;
}

export function startCommand(...args: string[]): Command {
  const command = new Command(args);
  cleanUp.push(() => command.kill());
  return command;
}

export async function steps(run: ScriptedRun, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await run.nextStep();
}

/** Ends a run as Ctrl-C does. */
export async function interrupt(run: ScriptedRun): Promise<void> {
  run.command.process.kill('SIGINT');
  await run.command.ended;
  await run.close();
}

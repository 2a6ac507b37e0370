#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { Command, CommanderError } from 'commander';
import { EngineError } from '../engine/errors.js';
import { InvariantError, JobError } from '../job/errors.js';
import { ClusterError } from '../proto/errors.js';
import { coordinatorCommand } from './commands/coordinator.js';
import { dataCommand } from './commands/data.js';
import { statusCommand } from './commands/status.js';
import { startCommand, trainCommand } from './commands/train.js';
import { interruptedExitCode } from './run-coordinator.js';
import { workerCommand } from './commands/worker.js';

/** The `lockstep` command. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped. */

const failed = 1;
const wrongUsage = 2;

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function program(): Command {
  const root = new Command('lockstep')
    .description('Synchronous data-parallel training of TensorFlow.js models: the same bits for any number of workers.')
    .version(version(), '--version');
  for (const command of [
    startCommand(),
    trainCommand(),
    coordinatorCommand(),
    workerCommand(),
    statusCommand(),
    dataCommand(),
  ]) {
    root.addCommand(command);
  }
  exitByException(root);
  return root.addHelpText('after', '\nlockstep COMMAND --help tells the rest. First run: lockstep start\n');
}

function exitByException(command: Command): void {
  command.exitOverride().showSuggestionAfterError();
  command.commands.forEach(exitByException);
}

/** Errors that a person can mend come as one message; ours come with their stack. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUsage;
  const known = error instanceof JobError || error instanceof ClusterError || error instanceof EngineError;
  const text = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  console.error(`lockstep: ${text}`);
  if (error instanceof InvariantError)
    console.error('This is a bug of Lockstep; please report it with the lines above.');
  const usage = error instanceof JobError && (error.code === 'BAD_SPEC' || error.code === 'BAD_OPTION');
  return usage ? wrongUsage : failed;
}

// What gRPC has to say comes as errors, in our words.
setLogVerbosity(logVerbosity.NONE);
try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = explain(error);
  // A download may still be under way; nothing it has written is lost.
  if (error instanceof ClusterError && error.code === 'STOPPED') process.exit(interruptedExitCode);
}

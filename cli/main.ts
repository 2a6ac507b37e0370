#!/usr/bin/env node
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { Command, CommanderError } from 'commander';
import { EngineError } from '../engine/errors.js';
import { JobError } from '../job/errors.js';
import { InvariantError } from '../util/errors.js';
import { ClusterError } from '../proto/errors.js';
import { tolerateClosedOutput } from './closed-output.js';
import { commandName } from './command-name.js';
import { commands } from './commands/index.js';
import { exitCodeOf, failedExitCode, interruptedExitCode, wrongUsageExitCode } from './exit-codes.js';
import { showControls } from './terminal/visible.js';
import { refuseEmpty } from './options/unused-flags.js';
import { version } from './version.js';

/** The `lockstep` command. Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped. */

async function program(named: string | undefined): Promise<Command> {
  const root = new Command('lockstep')
    .description('Synchronous data-parallel training of TensorFlow.js models: bit-identical for any number of workers.')
    .version(version(), '--version');
  const wanted = Object.keys(commands).filter((name) => name === named);
  for (const name of wanted.length > 0 ? wanted : Object.keys(commands)) root.addCommand(await commands[name]!());
  exitByException(root);
  root.hook('preAction', (_, command) => refuseEmpty(command));
  const name = commandName();
  return root.addHelpText('after', `\nRun ${name} COMMAND --help for details. First run: ${name} start\n`);
}

function exitByException(command: Command): void {
  command.exitOverride().showSuggestionAfterError();
  command.commands.forEach(exitByException);
}

/** Prints an error: only the message if the user can fix it, else with its stack. @returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUsageExitCode;
  const known = error instanceof JobError || error instanceof ClusterError || error instanceof EngineError;
  const text = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  console.error(`lockstep: ${text}`);
  if (error instanceof InvariantError)
    console.error('This is a bug in Lockstep. Please report it with the lines above.');
  return exitCodeOf(error);
}

// Job files, data and runs may come from others.
showControls(console);
// gRPC's failures are reported as errors of the calls.
setLogVerbosity(logVerbosity.NONE);
tolerateClosedOutput((stream, { message }) => {
  process.exitCode ??= failedExitCode;
  console.error(`lockstep: write ${stream}: expected success, got ${message}`);
});
try {
  await (await program(process.argv[2])).parseAsync();
} catch (error) {
  process.exitCode = explain(error);
  // A download may still be in progress; it resumes next time.
  if (error instanceof ClusterError && error.code === 'STOPPED') process.exit(interruptedExitCode);
  // A pending TCP connect can't be cancelled and would keep the process alive for two minutes.
  if (error instanceof ClusterError && error.code === 'UNREACHABLE') process.exit();
}

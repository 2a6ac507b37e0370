import { Command } from 'commander';
import { isOver } from '../control/control-client.js';
import { addControlOptions, addWaitOption, type ControlOptions, withControl } from '../control/control-options.js';
import { describeStatus } from '../control/describe-status.js';
import { failedExitCode, interruptedExitCode } from '../exit-codes.js';
import { jsonWatcher, plainWatcher, type Watched, watchRun } from '../watch/watch.js';

/** `lockstep watch`: follows a job until it ends, full-screen or line by line. */
export function watchCommand(): Command {
  const command = new Command('watch').description(
    'follow a running job in the terminal; quitting does not affect the job',
  );
  addWaitOption(addControlOptions(command));
  return command.addHelpText('after', notes).action(async (options: ControlOptions) => {
    const onScreen = process.stdout.isTTY && !options.json;
    const { screenWatcher } = onScreen ? await import('../watch/screen-watcher.js') : { screenWatcher: plainWatcher };
    const watcher = options.json ? jsonWatcher() : screenWatcher();
    const watched = await withControl(options, (client) => watchRun(client, watcher));
    if (onScreen && watched.status) console.log(describeStatus(watched.status));
    process.exitCode = exitCode(watched);
  });
}

/** Exit code for the outcome of the run, or for how the user quit. */
export function exitCode({ status, left }: Watched): number {
  if (status?.state === 'failed') return failedExitCode;
  if (status?.state === 'stopped') return interruptedExitCode;
  if (status && isOver(status)) return 0;
  return left === 'interrupted' ? interruptedExitCode : 0;
}

const notes = `
A terminal shows the loss curve, workers and events (q quits). A pipe or --json gets lines.
Exit codes: 0 the run finished, or you pressed q; 1 the run failed, or the coordinator didn't respond within --wait;
130 the run was stopped, or you pressed Ctrl-C.
`;

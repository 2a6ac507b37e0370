import { Command } from 'commander';
import { isOver } from '../control/control-client.js';
import { addControlOptions, addWaitOption, type ControlOptions, withControl } from '../control/control-options.js';
import { describeStatus } from '../control/describe-status.js';
import { failedExitCode, interruptedExitCode } from '../exit-codes.js';
import { jsonWatcher, plainWatcher, type Watched, watchRun } from '../watch/watch.js';

/** `lockstep watch`: follows a job until it is over, on the screen or line by line. */
export function watchCommand(): Command {
  const command = new Command('watch').description('follow a running job in the terminal; leaving does not touch it');
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

/** How the run ended, or how the watching did. */
export function exitCode({ status, left }: Watched): number {
  if (status?.state === 'failed') return failedExitCode;
  if (status?.state === 'stopped') return interruptedExitCode;
  if (status && isOver(status)) return 0;
  return left === 'interrupted' ? interruptedExitCode : 0;
}

const notes = `
A terminal shows curve, workers and events (q leaves); a pipe or --json gets lines.
Exit codes: 0 the run finished, or q was pressed; 1 it failed, or nobody answered for the time of --wait;
130 it was stopped, or watching was, by Ctrl-C.
`;

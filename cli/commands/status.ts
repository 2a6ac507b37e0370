import { Command } from 'commander';
import { addControlOptions, type ControlOptions, withControl } from '../control/control-options.js';
import { describeStatus } from '../control/describe-status.js';

/** `lockstep status`: prints the status of a running job. */
export function statusCommand(): Command {
  const command = new Command('status').description('print the status of a running job');
  return addControlOptions(command).action(async (options: ControlOptions) => {
    const status = await withControl(options, (client) => client.status());
    console.log(options.json ? JSON.stringify(status) : describeStatus(status));
  });
}

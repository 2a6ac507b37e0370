import { Command } from 'commander';
import { addControlOptions, type ControlOptions, withControl } from '../control/control-options.js';
import { describeStatus } from '../control/describe-status.js';

/** `lockstep status`: what a running coordinator says of its job. */
export function statusCommand(): Command {
  const command = new Command('status').description('ask a running coordinator how its job is doing');
  return addControlOptions(command).action(async (options: ControlOptions) => {
    const status = await withControl(options, (client) => client.status());
    console.log(options.json ? JSON.stringify(status) : describeStatus(status));
  });
}

import { Command } from 'commander';
import type { ControlReply } from '../../proto/messages.js';
import type { ControlClient } from '../control/control-client.js';
import { addControlOptions, type ControlOptions, withControl } from '../control/control-options.js';
import { workerCount } from '../options/numbers.js';

/** `lockstep pause`: no step after the one in progress until `resume`; workers stay, no bit of the result changes. */
export function pauseCommand(): Command {
  return simple('pause', 'pause a running job after the step in progress; its workers stay', (client) =>
    client.pause(),
  );
}

/** `lockstep resume`: a paused job goes on. (`lockstep train --resume RUN` goes on with one that is not running.) */
export function resumeCommand(): Command {
  return simple('resume', 'have a paused job go on', (client) => client.resume());
}

/** `lockstep checkpoint`: a checkpoint between two steps, durable when the command ends. */
export function checkpointCommand(): Command {
  return simple('checkpoint', 'have a running job make a checkpoint after the step in progress', (client) =>
    client.checkpoint(),
  );
}

/** `lockstep stop`: as Ctrl-C at the coordinator, with results of what there is. */
export function stopCommand(): Command {
  return simple('stop', 'end a running job after the step in progress; train --resume goes on with it', (client) =>
    client.stop(),
  );
}

/** `lockstep scale`: more or fewer workers of `lockstep train`. */
export function scaleCommand(): Command {
  const command = new Command('scale')
    .description('start or drain local workers of a running lockstep train; the result stays the same')
    .argument('<workers>', 'how many there shall be, 0 to 1024; with 0 the run waits', workerCount);
  return addControlOptions(command).action(async (workers: number, options: ControlOptions) => {
    tell(await withControl(options, (client) => client.scale(workers)), options);
  });
}

function simple(name: string, description: string, ask: (client: ControlClient) => Promise<ControlReply>): Command {
  return addControlOptions(new Command(name).description(description)).action(async (options: ControlOptions) => {
    tell(await withControl(options, ask), options);
  });
}

function tell(reply: ControlReply, { json }: ControlOptions): void {
  const { message, state } = reply;
  const text = message.includes(state) ? message : `${message} (now ${state})`;
  console.log(json ? JSON.stringify(reply) : text);
}

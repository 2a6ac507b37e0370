import { Command } from 'commander';
import type { ControlReply } from '../../proto/messages.js';
import type { ControlClient } from '../control/control-client.js';
import { addControlOptions, type ControlOptions, withControl } from '../control/control-options.js';
import { workerCount } from '../options/numbers.js';

/** `lockstep pause`: pauses a job after its current step. The result doesn't change. */
export function pauseCommand(): Command {
  return simple('pause', 'pause a running job after its current step; workers stay connected', (client) =>
    client.pause(),
  );
}

/** `lockstep resume`: resumes a paused job. (`lockstep train --resume RUN` resumes a stopped run.) */
export function resumeCommand(): Command {
  return simple('resume', 'resume a paused job', (client) => client.resume());
}

/** `lockstep checkpoint`: writes a checkpoint at the next step boundary; it is durable when the command returns. */
export function checkpointCommand(): Command {
  return simple('checkpoint', 'write a checkpoint of a running job after its current step', (client) =>
    client.checkpoint(),
  );
}

/** `lockstep stop`: stops a job like Ctrl-C at the coordinator, which saves results so far. */
export function stopCommand(): Command {
  return simple('stop', 'stop a running job after its current step; train --resume resumes it', (client) =>
    client.stop(),
  );
}

/** `lockstep scale`: changes the number of local workers of `lockstep train`. */
export function scaleCommand(): Command {
  const command = new Command('scale')
    .description('start or drain local workers of a running lockstep train; the result does not change')
    .argument('<workers>', 'target number of workers, 0 to 1024; with 0 the run waits', workerCount);
  return addControlOptions(command).action(async (workers: number, options: ControlOptions) => {
    printReply(await withControl(options, (client) => client.scale(workers)), options);
  });
}

function simple(name: string, description: string, call: (client: ControlClient) => Promise<ControlReply>): Command {
  return addControlOptions(new Command(name).description(description)).action(async (options: ControlOptions) => {
    printReply(await withControl(options, call), options);
  });
}

function printReply(reply: ControlReply, { json }: ControlOptions): void {
  const { message, state } = reply;
  const text = message.includes(state) ? message : `${message} (now ${state})`;
  console.log(json ? JSON.stringify(reply) : text);
}

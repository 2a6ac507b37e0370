import { afterEach } from 'vitest';
import { Command } from './lockstep.js';

/** Starts commands and ends them after each test; called once in a file. */
export function commandStarter(): (...args: string[]) => Command {
  const running: Command[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((command) => command.kill()));
  });
  return (...args) => {
    const command = new Command(args);
    running.push(command);
    return command;
  };
}

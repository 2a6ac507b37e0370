import { type Command, Option } from 'commander';
import { JobError } from '../../job/errors.js';

/** The flags among `names`, such as `--epochs`, given on the command line, not by default or environment. */
export function givenFlags(command: Command, names: readonly string[]): string[] {
  return names.filter((name) => command.getOptionValueSource(new Option(name).attributeName()) === 'cli');
}

/**
 * Rejects flags that would have no effect in this combination.
 * @param expected - the flags that they need or exclude, for the message.
 * @throws JobError BAD_OPTION that names all of them.
 */
export function refuseUnused(command: Command, names: readonly string[], expected: string): void {
  const given = givenFlags(command, names);
  if (given.length === 0) return;
  const [them, it] = [given.join(', '), given.length === 1 ? 'it has' : 'they have'];
  throw new JobError('BAD_OPTION', `${them}: expected ${expected}; ${it} no effect otherwise: leave ${them} out`);
}

/**
 * Refuses flags without a value: an empty one, or the next flag, as when a shell variable is not set.
 * @throws JobError BAD_OPTION
 */
export function refuseEmpty(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    const value: unknown = command.getOptionValue(name);
    if (command.getOptionValueSource(name) !== 'cli' || typeof value !== 'string') continue;
    if (value !== '' && !value.startsWith('--')) continue;
    throw new JobError('BAD_OPTION', `${option.long}: expected a value, got "${value}"; is a variable not set?`);
  }
}

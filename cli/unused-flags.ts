import { type Command, Option } from 'commander';
import { JobError } from '../job/errors.js';

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

/** @throws JobError BAD_OPTION for a flag with an empty value, as from an unset shell variable. */
export function refuseEmpty(command: Command): void {
  const empty = command.options.find((option) => {
    const name = option.attributeName();
    return command.getOptionValueSource(name) === 'cli' && command.getOptionValue(name) === '';
  });
  if (empty) throw new JobError('BAD_OPTION', `${empty.long}: expected a value, got ""; is a variable not set?`);
}
